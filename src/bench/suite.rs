//! Benchmarks as data, and the list of those that every device runs.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::shapes::{convolutions, products, weight_gradient};
use crate::kernels::Kernel;
use crate::kernels::ceiling::{Ceilings, MemoryCopy};
use crate::kernels::conv::{Conv, Direction, Geometry};
use crate::kernels::matmul::{Epilogue, Layout, MatMul};
use crate::model::Registry;
use crate::train::Config;
use crate::{Error, Result};

/// The benchmark that shows what memory can do.
pub(super) const COPY: &str = "copy 64 MiB";

/// What a benchmark is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// What the device can do at most.
    Ceiling,
    /// What it costs to start work.
    Dispatch,
    /// Matrix products.
    Matmul,
    /// Convolutions and their gradients.
    Conv,
    /// Whole training steps.
    Step,
}

impl Group {
    /// All of them, in the order in which they run.
    pub const ALL: [Self; 5] = [Self::Ceiling, Self::Dispatch, Self::Matmul, Self::Conv, Self::Step];

    /// The name in tables and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ceiling => "ceiling",
            Self::Dispatch => "dispatch",
            Self::Matmul => "matmul",
            Self::Conv => "conv",
            Self::Step => "step",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What runs once in a round.
#[derive(Debug)]
pub enum Work {
    /// Kernels one after the other, on operands of their own, many rounds in a pass.
    Kernels(Vec<Arc<dyn Kernel>>),
    /// The same, each round in a submit of its own.
    Submit(Arc<dyn Kernel>),
    /// A training step.
    Step(Box<Config>),
}

/// How many benchmarks there are, and how long each is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All shapes and presets.
    Full,
    /// A few shapes of each group.
    Quick,
}

/// One benchmark.
#[derive(Debug)]
pub struct Benchmark {
    /// What it is called in every record, as `matmul 512x512x512 nn`.
    pub name: String,
    /// What it is about.
    pub group: Group,
    /// The dimensions, for people.
    pub shape: String,
    /// Floating-point operations of a round, a multiply-add being two; 0 where they are not what it is about.
    pub flops: u64,
    /// Bytes that a round reads and writes; 0 where they are not what it is about.
    pub bytes: u64,
    /// Images of a round, if it is a training step.
    pub images: Option<u32>,
    /// What runs.
    pub work: Work,
}

impl Benchmark {
    /// Of kernels that run one after the other. The first does what is counted.
    pub fn of_kernels(name: String, group: Group, kernels: Vec<Arc<dyn Kernel>>) -> Self {
        let (flops, bytes, shape) = match kernels.first() {
            Some(kernel) => (kernel.flops(), kernel.bytes(), kernel.shape()),
            None => (0, 0, String::new()),
        };
        Self { name, group, shape, flops, bytes, images: None, work: Work::Kernels(kernels) }
    }

    /// What others are compared with.
    pub fn yardstick() -> Self {
        let kernel = Arc::new(Ceilings::ARITHMETIC);
        Self::of_kernels("multiply-add".to_owned(), Group::Ceiling, vec![kernel])
    }

    fn is_called(&self, text: &str) -> bool {
        format!("{} {}", self.group, self.name).to_lowercase().contains(&text.to_lowercase())
    }
}

/// Benchmarks to run.
#[derive(Debug)]
pub struct Suite {
    /// In the order in which they run.
    pub benchmarks: Vec<Benchmark>,
    /// How many of all there are.
    pub extent: Extent,
}

impl Suite {
    /// The ceilings, what it costs to start work, products, convolutions, and the training steps of every preset of
    /// `registry` at its own batch size.
    ///
    /// # Errors
    /// Where a preset of the registry makes no sense.
    pub fn standard(registry: &Registry, extent: Extent) -> Result<Self> {
        let quick = extent == Extent::Quick;
        let mut benchmarks = ceilings(quick);
        benchmarks.extend(dispatches());
        let products = products().into_iter().map(of_product);
        benchmarks.extend(products.take(if quick { 1 } else { usize::MAX }));
        let geometries = convolutions()?;
        // The third has many channels.
        let geometries = if quick { &geometries[2..3] } else { &geometries[..] };
        for geometry in geometries {
            benchmarks.extend(of_convolution(*geometry));
        }
        for (variant, preset) in registry.presets() {
            if !quick || preset.name == variant.name() {
                benchmarks.push(of_step(preset.name, Config::preset_of(registry, preset.name)?));
            }
        }
        Ok(Self { benchmarks, extent })
    }

    /// Those with `text` in their name or group, in capitals or not.
    ///
    /// # Errors
    /// [`Error::Setting`] that lists the groups, where there are none.
    pub fn only(mut self, text: &str) -> Result<Self> {
        self.benchmarks.retain(|benchmark| benchmark.is_called(text));
        if text.trim().is_empty() || self.benchmarks.is_empty() {
            let groups = Group::ALL.map(Group::name).join(", ");
            let expected = format!(
                "a part of a benchmark's name, such as matmul 512 or step vae, or a group: {groups}; --quick has fewer \
                 of each"
            );
            return Err(Error::setting("--only", expected, format!("\"{text}\"")));
        }
        Ok(self)
    }
}

fn ceilings(quick: bool) -> Vec<Benchmark> {
    let mut all = vec![Benchmark::yardstick()];
    let smaller = [MemoryCopy { count: 1 << 18 }, MemoryCopy { count: 1 << 21 }];
    let copies = smaller.into_iter().filter(|_| !quick).chain([Ceilings::COPY]);
    all.extend(copies.map(|copy| {
        let name = format!("copy {} MiB", copy.count >> 18);
        Benchmark::of_kernels(name, Group::Ceiling, vec![Arc::new(copy)])
    }));
    all
}

fn dispatches() -> [Benchmark; 2] {
    // Four numbers, so that starting is what takes time.
    let tiny = MemoryCopy { count: 4 };
    let of = |name: &str, work| Benchmark {
        name: name.to_owned(),
        group: Group::Dispatch,
        shape: tiny.shape(),
        flops: 0,
        bytes: 0,
        images: None,
        work,
    };
    [
        of("dispatch among others", Work::Kernels(vec![Arc::new(tiny)])),
        of("dispatch in a submit of its own", Work::Submit(Arc::new(tiny))),
    ]
}

fn of_product(product: MatMul) -> Benchmark {
    let MatMul { rows, depth, columns, layout, epilogue, .. } = product;
    let layout = match layout {
        Layout::Nn => "nn",
        Layout::Nt => "nt",
        Layout::Tn => "tn",
    };
    let way_out = match epilogue {
        Epilogue::None => String::new(),
        Epilogue::Dense(activation) => format!(" bias {}", activation.name()),
        Epilogue::Slope(activation) => format!(" slope of {}", activation.name()),
        Epilogue::Sums { .. } => " row sums".to_owned(),
        Epilogue::Sample => " through a sample".to_owned(),
    };
    let name = format!("matmul {rows}x{depth}x{columns} {layout}{way_out}");
    Benchmark::of_kernels(name, Group::Matmul, vec![Arc::new(product)])
}

fn of_convolution(geometry: Geometry) -> [Benchmark; 3] {
    let Geometry { image: [height, width, channels], features, kernel, stride, .. } = geometry;
    let [down, across] = kernel;
    let name = format!(
        "conv {down}x{across} s{} {channels}>{} at {height}x{width}",
        stride[0].max(stride[1]),
        features[2]
    );
    let conv = |direction| -> Vec<Arc<dyn Kernel>> {
        vec![Arc::new(Conv { direction, geometry, epilogue: Epilogue::None, accumulate: false })]
    };
    [
        ("forward", conv(Direction::Down)),
        ("input gradient", conv(Direction::Up)),
        ("weight gradient", weight_gradient(geometry)),
    ]
    .map(|(pass, kernels)| Benchmark::of_kernels(format!("{name} {pass}"), Group::Conv, kernels))
}

// What a step costs is counted when its plan is made.
fn of_step(preset: &str, config: Config) -> Benchmark {
    let batch = config.train.batch;
    Benchmark {
        name: format!("step {preset} at batch {batch}"),
        group: Group::Step,
        shape: config.model.variant.name().to_owned(),
        flops: 0,
        bytes: 0,
        images: Some(batch),
        work: Work::Step(Box::new(config)),
    }
}
