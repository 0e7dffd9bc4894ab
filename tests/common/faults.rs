//! Kernels that are wrong on purpose.

use std::fmt;
use std::sync::Arc;

use narrows::gpu::Variants;
use narrows::graph::{Content, Plan};
use narrows::kernels::{Call, Kernel, floats_mut};
use narrows_shaders::Access;

type Spoil = Box<dyn Fn(&mut [&mut [u32]]) + Send + Sync>;

// A kernel whose reference spoils what it writes; a device computes it right.
struct Spoilt {
    kernel: Arc<dyn Kernel>,
    spoil: Spoil,
}

impl fmt::Debug for Spoilt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kernel.fmt(f)
    }
}

impl Kernel for Spoilt {
    fn call(&self, variants: &Variants) -> Call {
        self.kernel.call(variants)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        self.kernel.reference(reads, writes);
        (self.spoil)(writes);
    }
}

/// `plan` with `spoil` behind the reference of one of its dispatches.
pub fn spoilt(
    plan: &Plan,
    dispatch: usize,
    spoil: impl Fn(&mut [&mut [u32]]) + Send + Sync + 'static,
) -> Plan {
    let mut plan = plan.clone();
    let kernel = Arc::clone(&plan.dispatches[dispatch].kernel);
    plan.dispatches[dispatch].kernel = Arc::new(Spoilt { kernel, spoil: Box::new(spoil) });
    plan
}

/// `plan` with a small fault in one of its dispatches, once for each array that it writes: a whole number is off by
/// one, or the largest of the floats is off by a thousandth.
pub fn faults(plan: &Plan, dispatch: usize) -> Vec<Plan> {
    let kernel = &plan.dispatches[dispatch].kernel;
    let operands = kernel.operands().into_iter().zip(&plan.dispatches[dispatch].operands);
    let written = operands.filter(|(operand, _)| operand.access == Access::ReadWrite);
    let contents: Vec<Content> = written.map(|(_, slice)| plan.buffer(*slice).content).collect();
    let fault = |(at, content): (usize, Content)| {
        spoilt(plan, dispatch, move |writes: &mut [&mut [u32]]| match content {
            // Of the images of a batch there may be but one: its neighbour is another.
            Content::Integers => writes[at][0] ^= 1,
            Content::Floats | Content::Scalars => {
                let values = floats_mut(writes[at]);
                let order = |a: &&mut f32, b: &&mut f32| a.abs().total_cmp(&b.abs());
                let Some(largest) = values.iter_mut().max_by(order) else { return };
                *largest = if *largest == 0.0 { 1.0 } else { 1.001 * *largest };
            }
        })
    };
    contents.into_iter().enumerate().map(fault).collect()
}
