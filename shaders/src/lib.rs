//! The handwritten WGSL of narrows, each composition a `&'static str` with its binding table.
