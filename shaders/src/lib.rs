//! The handwritten WGSL of narrows: each composition a `&'static str`, with its binding table, its
//! override constants and the number of workgroups it wants.
//!
//! Nothing here depends on a graphics library. Take [`Shader::source`], create a pipeline for one of the
//! [`Entry`]s with any WebGPU implementation, bind what the table lists, and dispatch [`fold`]ed groups:
//!
//! ```
//! use narrows_shaders::{fold, matmul};
//!
//! let shader = &matmul::TILE;
//! assert!(shader.source.contains("fn product"));
//! let [x, y, z] = fold(matmul::tiles([64, 64], 1000, 1000));
//! assert_eq!([x, y, z], [256, 1, 1]);
//! ```

mod catalogue;
mod table;

pub use catalogue::*;
pub use table::{
    Access, Binding, Entry, MAX_ROUNDS, MAX_SHARED_ROW, MAX_WORKGROUPS, Shader, fold, max_shared_row,
};
