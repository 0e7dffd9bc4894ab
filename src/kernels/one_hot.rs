//! Which class each image of a step is of (`shaders/one_hot.wgsl`).

use narrows_shaders::one_hot as shaders;

use super::{Call, Kernel, elements, floats_mut, put_all};
use crate::gpu::Variants;
use crate::reference::one_hot::one_hot;

/// `y[b, k]` is 1 where k is the label of image `chosen[b]`, else 0: labels `[count]` and chosen `[batch]` of u32, y
/// `[batch, classes]`. A label of no class leaves a row of zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OneHot {
    /// Images per step.
    pub batch: u32,
    /// Images in the data set.
    pub count: u32,
    /// Classes that there are.
    pub classes: u32,
}

impl Kernel for OneHot {
    fn call(&self, _: &Variants) -> Call {
        let Self { batch, count, classes } = *self;
        let numbers = elements([batch, classes]);
        Call::new(&shaders::SHADER, "one_hot")
            .part_of(count as usize, batch as usize)
            .operands([batch as usize, numbers])
            .uniform([("batch", batch), ("classes", classes)])
            .limit("images", count, 1..=u32::MAX)
            .limit("classes", classes, 1..=u32::MAX)
            .shape(format!("[{batch}, {classes}] of {count}"))
            .workgroups(|| shaders::workgroups(batch * classes))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        put_all(floats_mut(writes[0]), one_hot(reads[0], reads[1], self.classes), false);
    }
}
