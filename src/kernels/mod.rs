//! One file per shader: its parameters, the shapes it takes, and how it is recorded into a caller's pass.
//!
//! A [`Kernel`] is the struct of its arguments. It describes its dispatch once, as a [`Call`], and computes the same
//! result on the CPU, so whatever is built from kernels can be replayed on either.

pub mod activation;
pub mod augmentation;
pub mod batch;
pub mod call;
pub mod ceiling;
pub mod clip;
pub mod columns;
pub mod contraction;
pub mod conv;
pub mod corruption;
pub mod crop_or_pad;
pub mod divergence;
pub mod dropout;
pub mod elementwise;
pub mod group;
pub mod hadamard;
pub mod latent;
pub mod loss;
pub mod matmul;
pub mod moments;
pub mod norm;
pub mod one_hot;
pub mod optimizer;
pub mod pool;
pub mod prepare;
pub mod random;
pub mod record;
pub mod reduce;
pub mod rows;
pub mod sample;
pub mod sparsity;
pub mod spread;
pub mod state;
pub mod step;
pub mod sums;
pub mod upsample;

use std::fmt::Debug;

pub use self::call::{Call, Operand, Word};
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use self::prepare::calls;
pub use self::prepare::{Split, prepare, prepare_alone};
pub(crate) use self::prepare::{program, scratch};
pub use self::state::State;
use crate::Result;
use crate::gpu::{MatMulVariant, Product, Variants};
pub use crate::reference::words::{floats, floats_mut, put, put_all, widened};

/// The gradient that a kernel of values gives beside them, where it does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gradient {
    /// What it is multiplied by: the term's weight over the batch, say. The values stay unweighted.
    pub scale: f32,
    /// Add to it instead of writing it. The values are always written.
    pub accumulate: bool,
}

/// A computation that a device and the CPU reference can both do.
///
/// Anyone can write one, over a [`Shader`](narrows_shaders::Shader) of their own or one of narrows':
///
/// ```
/// use narrows::gpu::Variants;
/// use narrows::kernels::{Call, Kernel, floats_mut, put_all, widened};
/// use narrows_shaders::{Binding, Entry, Shader};
///
/// const SHADER: Shader = Shader {
///     name: "shift",
///     source: "
///         struct Params { count: u32, by: f32 }
///         @group(0) @binding(0) var<uniform> params: Params;
///         @group(0) @binding(1) var<storage, read> x: array<f32>;
///         @group(0) @binding(2) var<storage, read_write> y: array<f32>;
///
///         @compute @workgroup_size(64)
///         fn shift(@builtin(global_invocation_id) id: vec3u) {
///             if id.x < params.count { y[id.x] = x[id.x] + params.by; }
///         }",
///     overrides: &[],
///     entries: &[Entry {
///         name: "shift",
///         bindings: &[Binding::PARAMS, Binding::read(1, "x"), Binding::write(2, "y")],
///     }],
///     subgroups: false,
/// };
///
/// /// `y = x + by` over `count` numbers.
/// #[derive(Debug)]
/// struct Shift {
///     count: u32,
///     by: f32,
/// }
///
/// impl Kernel for Shift {
///     fn call(&self, _: &Variants) -> Call {
///         Call::new(&SHADER, "shift")
///             .operands([self.count as usize; 2])
///             .uniform([("count", self.count)])
///             .uniform([("by", self.by)])
///             .flops(1, self.count as usize)
///             .shape(format!("[{}]", self.count))
///             // Beyond it, workgroups are folded into a second dimension.
///             .limit("numbers to shift", self.count, 1..=64 * 65_535)
///             .workgroups(|| self.count.div_ceil(64))
///     }
///
///     fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
///         let y = widened(reads[0]).into_iter().map(|x| x + f64::from(self.by));
///         put_all(floats_mut(writes[0]), y, false);
///     }
/// }
///
/// let shift = Shift { count: 3, by: 1.5 };
/// assert!(shift.check().is_ok());
/// assert_eq!((shift.operands()[1].name, shift.bytes()), ("y", 24));
/// ```
pub trait Kernel: Debug + Send + Sync {
    /// The dispatch, given the variants in use. They decide shader, constants and workgroups, and nothing else.
    fn call(&self, variants: &Variants) -> Call;

    /// The same computation on the CPU: the words read, then the words written, in operand order.
    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]);

    /// Two kernels that do the same one after the other, where the variants in use would rather.
    fn split(&self, variants: &Variants) -> Option<Split> {
        let _ = variants;
        None
    }

    /// What a report calls it.
    fn name(&self) -> String {
        self.call(&ANY).name()
    }

    /// The uniform `Params`, as bytes.
    fn params(&self) -> Vec<u8> {
        self.call(&ANY).uniform.iter().flat_map(|(_, word)| word.bits().to_ne_bytes()).collect()
    }

    /// The storage operands: first those read, then those written, as the shader's table lists them.
    fn operands(&self) -> Vec<Operand> {
        self.call(&ANY).operands
    }

    /// Whether its extents and settings are ones that it computes right.
    ///
    /// # Errors
    /// As [`Call::check`].
    fn check(&self) -> Result<()> {
        self.call(&ANY).check()
    }

    /// Floating-point operations, counting a multiply-add as two.
    fn flops(&self) -> u64 {
        self.call(&ANY).flops
    }

    /// Bytes read and written: each operand once, and of some only the part that is used.
    fn bytes(&self) -> u64 {
        self.call(&ANY).bytes()
    }

    /// The product that it makes, where the variants in use choose by it.
    fn product(&self) -> Option<Product> {
        self.call(&ANY).product.map(|(product, _)| product)
    }

    /// The dimensions, for reports: `[128, 784] x [784, 400]`.
    fn shape(&self) -> String {
        self.call(&ANY).shape
    }
}

// For what does not depend on the variants.
const ANY: Variants = Variants::one(MatMulVariant::Register);

/// The elements of a tensor of these extents, or `usize::MAX` where they are too many to count.
pub fn elements<const N: usize>(extents: [u32; N]) -> usize {
    extents.iter().fold(1, |product: usize, extent| product.saturating_mul(*extent as usize))
}

/// The words of a binding that is read as vec4s and holds `words` numbers: whole vec4s.
pub fn vec4s(words: usize) -> usize {
    words.checked_next_multiple_of(4).unwrap_or(usize::MAX)
}

// The reference of a result that is `f` of the first N operands, number by number.
fn each_number<const N: usize>(
    reads: &[&[u32]],
    writes: &mut [&mut [u32]],
    accumulate: bool,
    f: impl Fn([f64; N]) -> f64,
) {
    let operands: [&[f32]; N] = std::array::from_fn(|at| floats(reads[at]));
    for (i, y) in floats_mut(writes[0]).iter_mut().enumerate() {
        put(y, f(operands.map(|operand| operand[i].into())), accumulate);
    }
}

// The reference of values, and of their gradient where there is one: `scale * slopes`.
fn put_values(
    writes: &mut [&mut [u32]],
    values: impl IntoIterator<Item = f64>,
    gradient: Option<Gradient>,
    slopes: impl IntoIterator<Item = f64>,
) {
    put_all(floats_mut(writes[0]), values, false);
    if let Some(Gradient { scale, accumulate }) = gradient {
        put_scaled(writes[1], scale, slopes, accumulate);
    }
}

// The reference of `scale * values`.
fn put_scaled(target: &mut [u32], scale: f32, values: impl IntoIterator<Item = f64>, accumulate: bool) {
    let scaled = values.into_iter().map(|value| f64::from(scale) * value);
    put_all(floats_mut(target), scaled, accumulate);
}
