// log(x) of normal x > 0, to f32's precision. WGSL allows an error of 2^-21 near 1, which a normal's radius and
// differences of logarithms magnify, and some drivers' log is worse.
fn precise_log(x: vec2f) -> vec2f {
    let bits = bitcast<vec2u>(x);
    let low = bitcast<vec2f>((bits & vec2u(0x7fffffu)) | vec2u(0x3f800000u));
    let high = low > vec2f(1.4142135);
    // x = m 2^e with m between the root of 1/2 and the root of 2.
    let m = select(low, 0.5 * low, high);
    let e = vec2f(vec2i(bits >> vec2u(23u)) - 127) + select(vec2f(), vec2f(1.0), high);
    // log m = 2 atanh(s), |s| < 0.172: the series' next term is 4e-9 of it.
    let s = (m - 1.0) / (m + 1.0);
    let q = s * s;
    return e * 0.6931471805599453 + 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (0.2 + q * (1.0 / 7.0 + q / 9.0))));
}
