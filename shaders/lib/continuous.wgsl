// The continuous Bernoulli (Loaiza-Ganem and Cunningham 2019) in logits: x in [0, 1] has the density e^(xy - A(y)).
//
//     A(y)  = log((e^y - 1) / y) = max(y, 0) + log((1 - e^-|y|) / |y|)
//     A'(y) = 1 / (1 - e^-y) - 1 / y, the mean of x
//
// Joined behind lib/log.wgsl.

// A(y) - max(y, 0), and A'(y). Below |y| = 1 both are their series about zero, whose next terms are 5e-8 of them.
fn log_normalizer(y: f32) -> vec2f {
    let a = abs(y);
    let q = y * y;
    let even = q * (1.0 / 24.0 - q * (1.0 / 2880.0 - q * (1.0 / 181440.0 - q / 9676800.0)));
    let odd = y * (1.0 / 12.0 - q * (1.0 / 720.0 - q * (1.0 / 30240.0 - q / 1209600.0)));
    let near = vec2f(even - 0.5 * a, 0.5 + odd);
    // The mean of the side below 1/2, of which the other is the complement; the guard keeps log's argument normal.
    let e = exp(-a);
    let below = 1.0 / a - e / (1.0 - e);
    let far = vec2f(precise_log(vec2f((1.0 - e) / max(a, 1.0))).x, select(below, 1.0 - below, y > 0.0));
    return select(far, near, a < 1.0);
}
