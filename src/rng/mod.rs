//! Random numbers by counting: a draw is its seed, step, stream, instance and element, the same on every device.

mod philox;

pub use philox::{PhiloxRng, Stream, key, normal_at, normals, philox, sign, uniform};
