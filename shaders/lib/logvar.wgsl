// The log variance of a Gaussian code: the one that counts lies within bounds, so that neither a code nor its
// divergence can be infinite by it (bounds as in Rombach et al. 2022, whose code holds it in [-30, 20]). Joined behind
// lib/finite.wgsl.

const LEAST_LOGVAR: f32 = -30.0;
const MOST_LOGVAR: f32 = 20.0;

// The log variance that counts. clamp alone would lose a NaN.
fn held(logvar: f32) -> f32 {
    return select(clamp(logvar, LEAST_LOGVAR, MOST_LOGVAR), logvar, is_nan(logvar));
}

// What of a slope, by the log variance that counts, a step follows: beyond a bound only what leads back.
fn followed(logvar: f32, slope: f32) -> f32 {
    let further = (logvar < LEAST_LOGVAR && slope > 0.0) || (logvar > MOST_LOGVAR && slope < 0.0);
    return select(slope, 0.0, further);
}
