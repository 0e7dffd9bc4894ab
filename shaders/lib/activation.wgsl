// Activations f(z), their slopes f'(z) and curvatures f''(z), chosen by the override ACTIVATION.
//
// Slope and curvature are computed from what the forward pass keeps: the output y = f(z) wherever y
// determines f'(z), which costs no extra memory, and z itself for gelu and silu (ACTIVATION >= 8). NaN goes through
// every f, so that a run gone wrong is seen in its loss: max, min and clamp alone would swallow it, and so do the
// comparisons with select that drivers make a max of. Joined behind lib/stable.wgsl and lib/finite.wgsl.

override ACTIVATION: u32 = 0u;

const SELU_SCALE: f32 = 1.0507009873554805;
const SELU_ALPHA: f32 = 1.6732632423543772;
const LEAKY_SLOPE: f32 = 0.01;
const SQRT_HALF: f32 = 0.7071067811865476;
const INVERSE_SQRT_TWO_PI: f32 = 0.3989422804014327;

// Some drivers return NaN for the tanh of a large number; beyond 15 it is 1 in f32.
fn safe_tanh(z: f32) -> f32 {
    return select(z, tanh(clamp(z, -15.0, 15.0)), abs(z) < 3e38);
}

// The error function, Abramowitz and Stegun 7.1.26: absolute error below 1.5e-7.
fn erf(x: f32) -> f32 {
    let a = abs(x);
    let t = 1.0 / (1.0 + 0.3275911 * a);
    let poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return sign(x) * (1.0 - poly * exp(-a * a));
}

fn activated(z: f32) -> f32 {
    switch ACTIVATION {
        case 1u: { return select(z, 0.0, z < 0.0); }                                           // relu
        case 2u: { return select(LEAKY_SLOPE * z, z, z > 0.0); }                               // leaky_relu
        case 3u: { return select(z, expm1(min(z, 0.0)), z < 0.0); }                            // elu
        case 4u: { return SELU_SCALE * select(z, SELU_ALPHA * expm1(min(z, 0.0)), z < 0.0); }  // selu
        case 5u: { return sigmoid(z); }                                                        // sigmoid
        case 6u: { return safe_tanh(z); }                                                      // tanh
        case 7u: { return softplus(z); }                                                       // softplus
        case 8u: { return z * 0.5 * (1.0 + erf(z * SQRT_HALF)); }                              // gelu
        case 9u: { return z * sigmoid(z); }                                                    // silu
        default: { return z; }                                                                 // identity
    }
}

fn activate(z: f32) -> f32 {
    return select(activated(z), z, is_nan(z));
}

// `kept` is y = f(z), or z for gelu and silu.
fn activation_slope(kept: f32) -> f32 {
    switch ACTIVATION {
        case 1u: { return select(0.0, 1.0, kept > 0.0); }
        case 2u: { return select(LEAKY_SLOPE, 1.0, kept > 0.0); }
        case 3u: { return select(kept + 1.0, 1.0, kept > 0.0); }
        case 4u: { return select(kept + SELU_SCALE * SELU_ALPHA, SELU_SCALE, kept > 0.0); }
        case 5u: { return kept * (1.0 - kept); }
        case 6u: { return 1.0 - kept * kept; }
        // y = log(1 + e^z), so sigmoid(z) = 1 - e^-y.
        case 7u: { return -expm1(-kept); }
        case 8u: {
            let density = INVERSE_SQRT_TWO_PI * exp(-0.5 * kept * kept);
            return 0.5 * (1.0 + erf(kept * SQRT_HALF)) + kept * density;
        }
        case 9u: {
            let s = sigmoid(kept);
            return s * (1.0 + kept * (1.0 - s));
        }
        default: { return 1.0; }
    }
}

// f''(z), zero where f is piecewise linear, its kink aside. `kept` as above.
fn activation_curvature(kept: f32) -> f32 {
    switch ACTIVATION {
        case 3u, 4u: { return select(activation_slope(kept), 0.0, kept > 0.0); }
        case 5u: { return kept * (1.0 - kept) * (1.0 - 2.0 * kept); }
        case 6u: { return -2.0 * kept * (1.0 - kept * kept); }
        // sigmoid(z) = 1 - e^-y again, times e^-y.
        case 7u: { return -expm1(-kept) * exp(-kept); }
        case 8u: { return INVERSE_SQRT_TWO_PI * exp(-0.5 * kept * kept) * (2.0 - kept * kept); }
        case 9u: {
            let s = sigmoid(kept);
            let t = sigmoid(-kept);
            return s * t * (2.0 + kept * (t - s));
        }
        default: { return 0.0; }
    }
}
