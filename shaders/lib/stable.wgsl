// Functions whose plain form overflows or cancels, in forms that do neither.

// Both branches only ever raise e to a negative power, so nothing overflows.
fn sigmoid(z: f32) -> f32 {
    let e = exp(-abs(z));
    return select(e, 1.0, z >= 0.0) / (1.0 + e);
}

// log(1 + x) for x in [0, 1], as 2 atanh(s) with s = x / (2 + x) <= 1/3: the series' next term is 2e-8 of
// it. Some drivers' log is wrong in the fifth digit, and Kahan's correction does not survive fast-math.
fn log1p(x: f32) -> f32 {
    let s = x / (2.0 + x);
    let q = s * s;
    let tail = 1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0)));
    return 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (0.2 + q * tail)));
}

// e^x - 1: a Taylor series near zero, where the plain form cancels.
fn expm1(x: f32) -> f32 {
    let series = x * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x / 120.0))));
    return select(exp(x) - 1.0, series, abs(x) < 0.2);
}

fn softplus(z: f32) -> f32 {
    return max(z, 0.0) + log1p(exp(-abs(z)));
}
