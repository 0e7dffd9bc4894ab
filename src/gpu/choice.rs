//! Which variant makes which product: one for all, by rule from what the adapter says of itself, or by measurement.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::MatMulVariant;
use crate::{Error, Result};

/// How a product sees its operands. What lies side by side in memory differs, and so does what is fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProductKind {
    /// Dense, `A B`.
    Nn,
    /// Dense, `A Bᵀ`.
    Nt,
    /// Dense, `Aᵀ B`.
    Tn,
    /// Features of an image.
    Down,
    /// An image of features.
    Up,
    /// The gradient of a convolution's weight.
    Weight,
}

impl ProductKind {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Nn, "nn"),
        (Self::Nt, "nt"),
        (Self::Tn, "tn"),
        (Self::Down, "down"),
        (Self::Up, "up"),
        (Self::Weight, "weight"),
    ];
}

/// A product as a choice sees it: `parts` products of `rows` x `columns`, each summed over `depth`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Product {
    /// How it sees its operands.
    pub kind: ProductKind,
    /// Rows of C.
    pub rows: u32,
    /// Columns of C.
    pub columns: u32,
    /// What is summed over.
    pub depth: u32,
    /// How many such products one dispatch makes.
    pub parts: u32,
}

/// Products that are alike: their extents rounded up to powers of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShapeClass {
    kind: ProductKind,
    extents: [u32; 4],
}

impl Product {
    /// The class it belongs to.
    pub fn class(&self) -> ShapeClass {
        let extents = [self.rows, self.columns, self.depth, self.parts];
        let up = |extent: u32| extent.max(1).checked_next_power_of_two().unwrap_or(u32::MAX);
        ShapeClass { kind: self.kind, extents: extents.map(up) }
    }

    // Workgroups of a variant.
    fn workgroups(&self, variant: MatMulVariant) -> u64 {
        let [rows, columns] = variant.tile();
        [self.rows.div_ceil(rows), self.columns.div_ceil(columns), self.parts].map(u64::from).iter().product()
    }
}

/// What an adapter is, for the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Hardware {
    /// A GPU that wants so many invocations at once.
    Gpu { invocations: u64 },
    /// A CPU driver with subgroups of exactly 8.
    EightLanes,
    /// Another CPU driver.
    Cpu,
}

// Of a GPU of which nothing more is known.
const USUAL_INVOCATIONS: u64 = 1 << 14;
// Steps of depth of the shortest part: they take a workgroup about as long as a dispatch costs.
const LEAST_CHUNK: u32 = 512;

impl Hardware {
    // Enough of them to hide each other's waits: 512 on each of some hundred processors of a discrete GPU, of some eight of
    // an integrated one.
    const ALL: [(Self, &'static str); 5] = [
        (Self::Gpu { invocations: 1 << 16 }, "discrete"),
        (Self::Gpu { invocations: 1 << 12 }, "integrated"),
        (Self::Gpu { invocations: USUAL_INVOCATIONS }, "gpu"),
        (Self::EightLanes, "eight-lanes"),
        (Self::Cpu, "cpu"),
    ];

    fn of(info: &wgpu::AdapterInfo, features: wgpu::Features) -> Self {
        let [discrete, integrated, gpu, eight_lanes, cpu] = Self::ALL.map(|(hardware, _)| hardware);
        match info.device_type {
            wgpu::DeviceType::DiscreteGpu => discrete,
            wgpu::DeviceType::IntegratedGpu => integrated,
            wgpu::DeviceType::Cpu if MatMulVariant::Shuffle32.runs_on(info, features) => eight_lanes,
            wgpu::DeviceType::Cpu => cpu,
            wgpu::DeviceType::VirtualGpu | wgpu::DeviceType::Other => gpu,
        }
    }

    // The largest tile that leaves none of a GPU idle, as it loads least. On CPU drivers, whose code grows with the tile and
    // takes its time to compile, the large one where there is much to do and none of it is empty; in images, where finding
    // a number takes more than loading it, it gains nothing.
    fn choose(self, product: &Product) -> MatMulVariant {
        use MatMulVariant::{Register, Shuffle32, Shuffle64, Tile32x4, Tile64x4, Tile64x8, Tile128x8};
        match self {
            Self::Gpu { invocations } => [Tile128x8, Tile64x8, Tile64x4]
                .into_iter()
                .find(|tile| product.workgroups(*tile) * u64::from(tile.invocations()) >= invocations)
                .unwrap_or(Tile32x4),
            Self::EightLanes => {
                let Product { kind, rows, columns, depth, .. } = *product;
                let work = [rows, columns, depth].map(u64::from).iter().product::<u64>();
                let dense = matches!(kind, ProductKind::Nn | ProductKind::Nt | ProductKind::Tn);
                let fills = rows.div_ceil(64) * 2 == rows.div_ceil(32);
                if dense && fills && work >= 1 << 24 { Shuffle64 } else { Shuffle32 }
            }
            Self::Cpu => Register,
        }
    }
}

/// Which kernels a device uses. Displayed and parsed, as a checkpoint keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variants(Choice);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Choice {
    One(MatMulVariant),
    Rule(Hardware),
    // What is not measured goes by rule.
    Measured(Hardware, Arc<BTreeMap<ShapeClass, MatMulVariant>>),
}

impl Variants {
    /// The same for all products.
    pub const fn one(variant: MatMulVariant) -> Self {
        Self(Choice::One(variant))
    }

    /// The rule: on GPUs the largest tile that leaves none of the device idle; on CPU drivers `shuffle` where subgroups are
    /// exactly 8 wide, `register` elsewhere.
    ///
    /// Subgroups of 8 on a GPU exist too (some Intel), but there the tile is the better kernel.
    pub fn rule(info: &wgpu::AdapterInfo, features: wgpu::Features) -> Self {
        Self(Choice::Rule(Hardware::of(info, features)))
    }

    /// What was measured to be fastest, and the rule for the rest.
    pub fn measured(
        info: &wgpu::AdapterInfo,
        features: wgpu::Features,
        fastest: BTreeMap<ShapeClass, MatMulVariant>,
    ) -> Self {
        Self(Choice::Measured(Hardware::of(info, features), Arc::new(fastest)))
    }

    /// The variant that makes `product`.
    pub fn matmul(&self, product: &Product) -> MatMulVariant {
        match &self.0 {
            Choice::One(variant) => *variant,
            Choice::Rule(hardware) => hardware.choose(product),
            Choice::Measured(hardware, fastest) => {
                fastest.get(&product.class()).copied().unwrap_or_else(|| hardware.choose(product))
            }
        }
    }

    /// In parts of how many steps of its depth a product is made, where it is split: on a GPU that its workgroups leave
    /// partly idle, where each part is deep enough to be worth a dispatch more. The parts are then added up.
    pub fn chunk(&self, product: &Product) -> Option<u32> {
        let invocations = match &self.0 {
            Choice::Rule(Hardware::Gpu { invocations })
            | Choice::Measured(Hardware::Gpu { invocations }, _) => *invocations,
            Choice::One(_) if self.suit_a_gpu() => USUAL_INVOCATIONS,
            Choice::One(_) | Choice::Rule(_) | Choice::Measured(..) => return None,
        };
        let variant = self.matmul(product);
        let busy = product.workgroups(variant) * u64::from(variant.invocations());
        let wanted = invocations.div_ceil(busy.max(1));
        let parts = wanted.min(u64::from(product.depth / LEAST_CHUNK)).try_into().unwrap_or(u32::MAX);
        // Whole stages of every variant.
        let chunk = product.depth.div_ceil(parts.max(1)).checked_next_multiple_of(64)?;
        (parts > 1 && chunk < product.depth).then_some(chunk)
    }

    /// Whether registers are few and loads cheap, as on a GPU.
    pub fn suit_a_gpu(&self) -> bool {
        use MatMulVariant::{Tile32x4, Tile64x4, Tile64x8, Tile128x8};
        match &self.0 {
            Choice::One(variant) => matches!(variant, Tile128x8 | Tile64x8 | Tile64x4 | Tile32x4),
            Choice::Rule(hardware) | Choice::Measured(hardware, _) => {
                matches!(hardware, Hardware::Gpu { .. })
            }
        }
    }

    /// Whether a subgroup is exactly 8 lanes of a CPU driver, so that loads are dear and shuffles cheap.
    pub fn suit_eight_lanes(&self) -> bool {
        match &self.0 {
            Choice::One(variant) => matches!(variant, MatMulVariant::Shuffle32 | MatMulVariant::Shuffle64),
            Choice::Rule(hardware) | Choice::Measured(hardware, _) => *hardware == Hardware::EightLanes,
        }
    }

    /// Whether a device with these features can run all of them.
    pub fn run_on(&self, info: &wgpu::AdapterInfo, features: wgpu::Features) -> bool {
        let runs = |variant: &MatMulVariant| variant.runs_on(info, features);
        match &self.0 {
            Choice::One(variant) => runs(variant),
            Choice::Rule(hardware) => *hardware == Hardware::of(info, features),
            Choice::Measured(hardware, fastest) => {
                *hardware == Hardware::of(info, features) && fastest.values().all(runs)
            }
        }
    }
}

// What `text` is called in a list of names.
fn named<T: Copy>(all: &[(T, &str)], text: &str) -> Option<T> {
    all.iter().find(|(_, name)| *name == text).map(|(value, _)| *value)
}

fn name<T: PartialEq>(all: &[(T, &'static str)], value: &T) -> &'static str {
    all.iter().find(|(other, _)| other == value).map_or("", |(_, name)| name)
}

impl fmt::Display for ShapeClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rows, columns, depth, parts] = self.extents;
        write!(f, "{}:{rows}x{columns}x{depth}x{parts}", name(&ProductKind::ALL, &self.kind))
    }
}

impl FromStr for ShapeClass {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let (kind, extents) = text.split_once(':')?;
            let extents: Vec<u32> =
                extents.split('x').map(|extent| extent.parse().ok()).collect::<Option<_>>()?;
            Some(Self { kind: named(&ProductKind::ALL, kind)?, extents: extents.try_into().ok()? })
        };
        parse().ok_or_else(|| Error::setting("shape class", "KIND:ROWSxCOLUMNSxDEPTHxPARTS", text))
    }
}

impl fmt::Display for Variants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Choice::One(variant) => write!(f, "{variant}"),
            Choice::Rule(hardware) => write!(f, "rule {}", name(&Hardware::ALL, hardware)),
            Choice::Measured(hardware, fastest) => {
                write!(f, "measured {}", name(&Hardware::ALL, hardware))?;
                fastest.iter().try_for_each(|(class, variant)| write!(f, " {class}={variant}"))
            }
        }
    }
}

impl FromStr for Variants {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::setting(
                "kernels",
                "a variant, `rule HARDWARE` or `measured HARDWARE CLASS=VARIANT..`",
                text,
            )
        };
        let mut words = text.split(' ');
        let first = words.next().unwrap_or_default();
        if !matches!(first, "rule" | "measured") {
            return text.parse().map(Self::one);
        }
        let hardware = words.next().and_then(|word| named(&Hardware::ALL, word)).ok_or_else(wrong)?;
        let pair = |word: &str| {
            let (class, variant) = word.split_once('=').ok_or_else(wrong)?;
            Ok((class.parse()?, variant.parse()?))
        };
        let fastest: BTreeMap<_, _> = words.map(pair).collect::<Result<_>>()?;
        match first {
            "rule" if !fastest.is_empty() => Err(wrong()),
            "rule" => Ok(Self(Choice::Rule(hardware))),
            _ => Ok(Self(Choice::Measured(hardware, Arc::new(fastest)))),
        }
    }
}
