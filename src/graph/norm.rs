//! Batch normalisation: moments of the batch in training, running ones in inference.

use super::parameters::ALIGNMENT;
use super::plan::BufferId;
use super::tape::Links;
use super::{Exchange, Graph, Init, Parameter, Slice, StoreKind, Tensor};
use crate::kernels::activation::Activation;
use crate::kernels::moments::{ChunkMoments, MergeMoments, RunningMoments, Strips};
use crate::kernels::norm::{Backward, ChunkSums, MergeSums, Normalize};
use crate::{Error, Result};

/// One layer of batch normalisation (Ioffe and Szegedy 2015): what it learns, and its running statistics.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNorm {
    /// gamma, `[channels]`.
    pub scale: Parameter,
    /// beta, `[channels]`.
    pub shift: Parameter,
    /// The running mean, `[channels]`, a [statistic](Graph::statistic).
    pub mean: Parameter,
    /// The running variance, `[channels]`, a [statistic](Graph::statistic).
    pub variance: Parameter,
    /// Weight of a batch in the running statistics, in [0, 1]: 0.1 in PyTorch. Keras gives the weight of what is kept,
    /// 0.99, instead.
    pub momentum: f32,
    /// Added to variances; 1e-5 in PyTorch, 1e-3 in Keras.
    pub epsilon: f32,
    /// Applied to the normalized numbers.
    pub activation: Activation,
}

impl BatchNorm {
    /// Declares `name.scale`, of ones, and `name.shift`, of zeros, and the statistics `name.running_mean`, of zeros, and
    /// `name.running_variance`, of ones. Momentum and epsilon are PyTorch's, the activation is the identity.
    pub fn declare(graph: &mut Graph, group: &str, name: &str, channels: u32) -> Result<Self> {
        let shape = || vec![channels as usize];
        Ok(Self {
            scale: graph.parameter_of(group, format!("{name}.scale"), shape(), Init::Constant(1.0))?,
            shift: graph.parameter_of(group, format!("{name}.shift"), shape(), Init::Constant(0.0))?,
            mean: graph.statistic(format!("{name}.running_mean"), shape(), 0.0)?,
            variance: graph.statistic(format!("{name}.running_variance"), shape(), 1.0)?,
            momentum: 0.1,
            epsilon: 1e-5,
            activation: Activation::Identity,
        })
    }
}

impl Graph {
    /// `f(scale (x - mean) / sqrt(variance + epsilon) + shift)` of x `[batch, pixels * channels]`, channel by channel.
    ///
    /// In training mean and (biased) variance are those of the batch, over images and pixels. Gradients pass through
    /// both, and the running statistics are updated by the mean and the unbiased variance. In
    /// [inference](Graph::inference) mean and variance are the running ones.
    ///
    /// # Errors
    /// [`Error::Shape`] where x is not of so many channels, a parameter or statistic is not `[channels]`, any is of
    /// another graph, scale and shift are one or of two groups, or mean and variance are one or not both statistics;
    /// [`Error::Setting`] for a momentum outside [0, 1], an epsilon that is not positive, and for a single pixel in
    /// training, which has no variance.
    pub fn batch_norm(&mut self, label: &str, x: Tensor, channels: u32, norm: &BatchNorm) -> Result<Tensor> {
        self.check_norm(label, x, channels, norm)?;
        let rows = x.rows * (x.columns / channels);
        let y = self.tensor(label, x.shape())?;
        let sum = Strips::to_sum(rows, channels);
        let sum = Strips { chunk: self.chunk(rows, sum.chunk), ..sum };
        let layer = Layer {
            label: label.to_owned(),
            x,
            y,
            moments: self.buffer(format!("moments of {label}"), 2 * channels as usize),
            sum,
            map: Strips::to_map(rows, channels),
            norm: norm.clone(),
        };
        layer.record_moments(self)?;
        layer.forward(self)?;
        let links = Links::of(&[x]).through(&[&norm.scale, &norm.shift]);
        self.send_back(links, y, move |graph, dz| layer.backward(graph, dz));
        Ok(y)
    }

    fn check_norm(&self, label: &str, x: Tensor, channels: u32, norm: &BatchNorm) -> Result<()> {
        self.know(label, x)?;
        if channels == 0 || !x.columns.is_multiple_of(channels) || x.columns.checked_mul(x.rows).is_none() {
            let expected = format!("images of pixels of {channels} channels, at least 1");
            return Err(Error::shape(label, expected, format!("{} numbers per image", x.columns)));
        }
        for parameter in [&norm.scale, &norm.shift] {
            self.know_parameter(label, parameter)?;
        }
        for statistic in [&norm.mean, &norm.variance] {
            self.know_slot(label, statistic, &[StoreKind::Statistics], "statistic")?;
        }
        let all = [&norm.scale, &norm.shift, &norm.mean, &norm.variance];
        if let Some(other) = all.into_iter().find(|parameter| parameter.shape != [channels as usize]) {
            let got = format!("{} {:?}", other.name, other.shape);
            return Err(Error::shape(label, format!("{channels} numbers, one per channel"), got));
        }
        // A kernel writes both of a pair into one buffer.
        for [a, b] in [[&norm.scale, &norm.shift], [&norm.mean, &norm.variance]] {
            if a.store != b.store || a.offset == b.offset {
                let expected = "scale and shift of one group, mean and variance declared as statistics";
                return Err(Error::shape(label, expected, format!("{} and {}", a.name, b.name)));
            }
        }
        if !(0.0..=1.0).contains(&norm.momentum) {
            return Err(Error::setting(format!("{label}: momentum"), "between 0 and 1", norm.momentum));
        }
        if !(norm.epsilon.is_finite() && norm.epsilon > 0.0) {
            return Err(Error::setting(format!("{label}: epsilon"), "a positive number", norm.epsilon));
        }
        Ok(())
    }
}

struct Layer {
    label: String,
    x: Tensor,
    y: Tensor,
    moments: Slice,
    sum: Strips,
    map: Strips,
    norm: BatchNorm,
}

// A buffer from the first of two parameters on, for kernels that write both: where in it each begins.
fn together(buffer: BufferId, a: &Parameter, b: &Parameter) -> (Slice, [u32; 2]) {
    let offset = a.offset.min(b.offset);
    let end = (a.offset + a.len()).max(b.offset + b.len());
    let places = [a, b].map(|parameter| (parameter.offset - offset) as u32);
    (Slice { buffer, offset, words: end - offset }, places)
}

impl Layer {
    // Of the batch in training, the running ones in inference.
    fn record_moments(&self, graph: &mut Graph) -> Result<()> {
        let BatchNorm { momentum, epsilon, ref mean, ref variance, .. } = self.norm;
        let (strips, label) = (self.sum, format!("{} moments", self.label));
        let (statistics, [mean_at, variance_at]) = together(graph.store_buffers[mean.store], mean, variance);
        if !graph.is_training() {
            let kernel = RunningMoments { channels: strips.channels, mean_at, variance_at, epsilon };
            return graph.record(label, kernel, &[statistics, self.moments]);
        }
        let words = |strips: Strips| 2 * strips.chunks() as usize * strips.channels as usize;
        let (chunks, x) = (format!("{label}, in chunks"), graph.value(self.x));
        let own = graph.interim(&chunks, words(strips), &[x], ChunkMoments(strips))?;
        let own = Slice { words: words(strips), ..own };
        let strips = Strips { rows: graph.whole_rows(strips.rows), ..strips };
        let mut parts = own;
        if strips != self.sum {
            graph.name(format!("{chunks}, own"), own);
            parts = graph.named_buffer(format!("{chunks}, of all"), words(strips));
            graph.exchange(Exchange::Gather { own, all: parts });
        }
        let kernel = MergeMoments { strips, mean_at, variance_at, momentum, epsilon };
        graph.record(label, kernel, &[parts, self.moments, statistics])
    }

    fn forward(&self, graph: &mut Graph) -> Result<()> {
        let BatchNorm { activation, ref scale, ref shift, .. } = self.norm;
        let [scale, shift] = [scale, shift].map(|parameter| graph.place(parameter));
        let reads = vec![graph.value(self.x), self.moments, scale, shift];
        let kernel = Normalize { strips: self.map, activation };
        let record = |graph: &mut Graph, operands: &[Slice]| graph.record(&self.label, kernel, operands);
        graph.record_activated(&self.label, self.y, activation, reads, record)
    }

    fn backward(&self, graph: &mut Graph, dz: Slice) -> Result<()> {
        let (x, strips, label) = (graph.value(self.x), self.sum, &self.label);
        let words = 2 * strips.channels as usize;
        let chunks = format!("d {label}.scale, shift, in chunks");
        let reads = [x, dz, self.moments];
        let parts = graph.interim(chunks, strips.chunks() as usize * words, &reads, ChunkSums(strips))?;
        let sums = graph.buffer(format!("sums of d {label}"), words);
        let BatchNorm { scale, shift, .. } = &self.norm;
        let targets = [graph.parameter_gradient(scale)?, graph.parameter_gradient(shift)?];
        // Where they do not move, the input's gradient needs the sums all the same.
        let (gradients, [scale_at, shift_at]) = match targets {
            [Some((slice, _)), Some(_)] => together(slice.buffer, scale, shift),
            _ => {
                let each = (strips.channels as usize).next_multiple_of(ALIGNMENT);
                (graph.buffer(format!("d {label}, unused"), 2 * each), [0, each as u32])
            }
        };
        let [accumulate_scale, accumulate_shift] = targets.map(|target| target.is_some_and(|(_, add)| add));
        let kernel = MergeSums { strips, scale_at, shift_at, accumulate_scale, accumulate_shift };
        graph.record(format!("d {label}.scale, shift"), kernel, &[parts, sums, gradients])?;
        graph.exchange_mean(format!("sums of d {label}, of all"), Slice { words, ..sums });
        let (strips, own_moments) = (self.map, graph.is_training());
        let reads = [x, dz, self.moments, graph.place(scale), sums];
        graph.send(self.x, &reads, |accumulate| Backward { strips, own_moments, accumulate })
    }
}
