// Whether a number is one, by its bits: compilers that assume there is neither infinity nor NaN fold comparisons of
// floats that tell them apart.

fn is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn is_finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}
