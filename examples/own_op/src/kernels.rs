//! The kernels of a codebook (`codebook.wgsl`), each with its twin in plain Rust.

use narrows::gpu::Variants;
use narrows::kernels::{Call, Kernel, elements, floats, floats_mut, put_all, widened};
use narrows_shaders::{Binding, Entry, MAX_ROUNDS, MAX_SHARED_ROW, Shader, max_shared_row};

// What a vector counts that no row has chosen for long; the same in the shader.
const SMOOTHING: f64 = 1e-5;

const X: Binding = Binding::read(1, "x");
const CODEBOOK: Binding = Binding::read(2, "codebook");
const CHOSEN: Binding = Binding::read(3, "chosen");
const VECTORS: Binding = Binding::write(9, "vectors");

const SHADER: Shader = Shader {
    name: "codebook",
    source: include_str!("codebook.wgsl"),
    overrides: &[],
    entries: &[
        Entry { name: "nearest", bindings: &[Binding::PARAMS, X, CODEBOOK, Binding::write(6, "new_chosen")] },
        Entry { name: "look_up", bindings: &[Binding::PARAMS, CODEBOOK, CHOSEN, VECTORS] },
        Entry { name: "count", bindings: &[Binding::PARAMS, CHOSEN, Binding::write(7, "new_sizes")] },
        Entry { name: "sum", bindings: &[Binding::PARAMS, X, CHOSEN, Binding::write(8, "new_sums")] },
        Entry {
            name: "renew",
            bindings: &[Binding::PARAMS, Binding::read(4, "sizes"), Binding::read(5, "sums"), VECTORS],
        },
    ],
    subgroups: false,
};

/// The extents of a codebook `[entries, width]` and of the rows `[rows, width]` that choose from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extents {
    /// Rows that choose.
    pub rows: u32,
    /// Numbers of a row, and of a vector of the codebook.
    pub width: u32,
    /// Vectors of the codebook.
    pub entries: u32,
}

/// `chosen[r]`, which vector of the codebook is nearest to row r of x: the lowest of several. Reads x `[rows, width]` and
/// the codebook `[entries, width]`, writes `[rows]` of u32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nearest(pub Extents);

/// The vectors chosen. Reads the codebook `[entries, width]` and what [`Nearest`] chose `[rows]`, writes
/// `[rows, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookUp(pub Extents);

/// The moving averages of how many rows chose each vector. Reads what they chose `[rows]`, moves the sizes `[entries]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count {
    /// Rows and codebook.
    pub extents: Extents,
    /// What is kept of the averages.
    pub decay: f32,
}

/// The moving averages of the sum of the rows that chose each vector. Reads x `[rows, width]` and what its rows chose
/// `[rows]`, moves the sums `[entries, width]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sum {
    /// Rows and codebook.
    pub extents: Extents,
    /// What is kept of the averages.
    pub decay: f32,
}

/// The codebook of those averages: each vector's sum by its size, which Laplace smoothing keeps from zero. Reads the
/// sizes `[entries]` and the sums `[entries, width]`, writes the codebook `[entries, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renew(pub Extents);

impl Extents {
    fn call(self, entry: &'static str, decay: f32) -> Call {
        let Self { rows, width, entries } = self;
        Call::new(&SHADER, entry)
            .uniform([("rows", rows), ("width", width), ("entries", entries)])
            .uniform([("decay", decay)])
            .limit("numbers of a codebook's vector", width, 1..=MAX_ROUNDS - 1)
            .limit("vectors of a codebook", entries, 1..=MAX_SHARED_ROW)
            .shape(format!("[{rows}, {width}] of {entries}"))
    }

    // Of rows that one invocation walks.
    fn averages(self, entry: &'static str, decay: f32) -> Call {
        self.call(entry, decay).limit("rows that move a codebook", self.rows, 1..=MAX_ROUNDS).setting(
            "decay",
            (0.0..1.0).contains(&decay),
            "at least 0 and below 1",
            decay,
        )
    }

    fn x(self) -> usize {
        elements([self.rows, self.width])
    }

    fn codebook(self) -> usize {
        elements([self.entries, self.width])
    }

    // The vectors of a codebook, or the sums of them.
    fn vectors<T>(self, flat: &[T]) -> std::slice::ChunksExact<'_, T> {
        flat.chunks_exact(self.width.max(1) as usize)
    }
}

impl Kernel for Nearest {
    fn call(&self, _: &Variants) -> Call {
        let Extents { rows, width, entries } = self.0;
        self.0
            .call("nearest", 0.0)
            .operands([self.0.x(), self.0.codebook(), rows as usize])
            .limit("vectors of a codebook", entries, 1..=max_shared_row(u64::from(width) + 1))
            .flops(3, elements([rows, width, entries]))
            .workgroups(|| rows)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (x, codebook) = (floats(reads[0]), floats(reads[1]));
        for (chosen, row) in writes[0].iter_mut().zip(self.0.vectors(x)) {
            let mut least = f64::from(f32::MAX);
            *chosen = 0;
            for (k, vector) in (0..).zip(self.0.vectors(codebook)) {
                let apart = row.iter().zip(vector).map(|(x, e)| f64::from(*x) - f64::from(*e));
                let distance: f64 = apart.map(|apart| apart * apart).sum();
                if distance < least {
                    (least, *chosen) = (distance, k);
                }
            }
        }
    }
}

impl Kernel for LookUp {
    fn call(&self, _: &Variants) -> Call {
        self.0
            .call("look_up", 0.0)
            .operands([self.0.codebook(), self.0.rows as usize, self.0.x()])
            .workgroups(|| (self.0.rows * self.0.width).div_ceil(64))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let width = self.0.width as usize;
        for (y, chosen) in writes[0].chunks_mut(width).zip(reads[1]) {
            if let Some(vector) = self.0.vectors(reads[0]).nth(*chosen as usize) {
                y.copy_from_slice(vector);
            }
        }
    }
}

// What the averages are when they have taken in `new`.
fn moved(averages: &[u32], new: &[f64], decay: f32) -> Vec<f64> {
    let decay = f64::from(decay);
    widened(averages).iter().zip(new).map(|(old, new)| decay * old + (1.0 - decay) * new).collect()
}

impl Kernel for Count {
    fn call(&self, _: &Variants) -> Call {
        let Extents { rows, entries, .. } = self.extents;
        self.extents
            .averages("count", self.decay)
            .operands([rows as usize, entries as usize])
            .flops(3, entries as usize)
            .workgroups(|| entries.div_ceil(64))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let mut counts = vec![0.0; self.extents.entries as usize];
        for chosen in reads[0] {
            if let Some(count) = counts.get_mut(*chosen as usize) {
                *count += 1.0;
            }
        }
        let sizes = moved(writes[0], &counts, self.decay);
        put_all(floats_mut(writes[0]), sizes, false);
    }
}

impl Kernel for Sum {
    fn call(&self, _: &Variants) -> Call {
        let Extents { rows, width, entries } = self.extents;
        self.extents
            .averages("sum", self.decay)
            .operands([self.extents.x(), rows as usize, self.extents.codebook()])
            .flops(1, self.extents.x())
            .flops(3, self.extents.codebook())
            .workgroups(|| (entries * width).div_ceil(64))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let width = self.extents.width as usize;
        let mut totals = vec![0.0; self.extents.codebook()];
        for (row, chosen) in self.extents.vectors(floats(reads[0])).zip(reads[1]) {
            if let Some(total) = totals.chunks_exact_mut(width).nth(*chosen as usize) {
                total.iter_mut().zip(row).for_each(|(total, x)| *total += f64::from(*x));
            }
        }
        let sums = moved(writes[0], &totals, self.decay);
        put_all(floats_mut(writes[0]), sums, false);
    }
}

impl Kernel for Renew {
    fn call(&self, _: &Variants) -> Call {
        let (entries, codebook) = (self.0.entries, self.0.codebook());
        self.0
            .call("renew", 0.0)
            .operands([entries as usize, codebook, codebook])
            .flops(1, codebook)
            .workgroups(|| entries)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (sizes, sums) = (widened(reads[0]), widened(reads[1]));
        let all: f64 = sizes.iter().sum();
        let share = all / (all + f64::from(self.0.entries) * SMOOTHING);
        let vectors = self.0.vectors(&sums).zip(&sizes);
        let renewed =
            vectors.flat_map(|(sum, size)| sum.iter().map(move |sum| sum / ((size + SMOOTHING) * share)));
        put_all(floats_mut(writes[0]), renewed, false);
    }
}
