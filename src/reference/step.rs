//! The last kernel of a step: the twin of `shaders/step.wgsl`.

/// How the learning rate changes over a run: the share of it that counts at each step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RateSchedule {
    /// The first steps, in which the share rises in a line from 0, which it would have before them, to 1 behind them.
    pub warmup: u32,
    /// What follows.
    pub fall: Fall,
}

/// How the learning rate falls behind its warm-up, over at least one step. A step after the last has a rate of zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Fall {
    /// It stays constant.
    #[default]
    Constant,
    /// `r`, the share of these steps that is left, from 1 to 0.
    Linear(u32),
    /// `(1 + cos(π (1 - r))) / 2` (Loshchilov and Hutter 2016, equation 5, without restarts).
    Cosine(u32),
}

impl RateSchedule {
    /// The share of the learning rate that counts at `step`, counted from 0.
    pub fn share(self, step: u32) -> f64 {
        let Some(behind) = step.checked_sub(self.warmup) else {
            return (f64::from(step) + 1.0) / (f64::from(self.warmup) + 1.0);
        };
        let left = |steps: u32| f64::from(steps - behind.min(steps)) / f64::from(steps);
        match self.fall {
            Fall::Constant => 1.0,
            Fall::Linear(steps) => left(steps),
            Fall::Cosine(steps) => (std::f64::consts::FRAC_PI_2 * left(steps)).sin().powi(2),
        }
    }
}

/// How the weight of a term rises: `share = min(phase / rise, 1)`, with `phase` the part of its cycle that is over.
///
/// One cycle that rises over its whole length is the annealing of Bowman et al. 2016, section 3.1; several that rise
/// over half of theirs are the cycles of Fu et al. 2019, equations 6 and 7. After the last the share is 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Warmup {
    /// Its steps; 0 for no warm-up.
    pub steps: u32,
    /// Its cycles, at least one.
    pub cycles: u32,
    /// The part of each cycle in which the share rises, above 0 and at most 1.
    pub rise: f32,
}

impl Warmup {
    /// The share is 1 from the first step on.
    pub const NONE: Self = Self { steps: 0, cycles: 1, rise: 1.0 };

    /// The share of the weight that counts at `step`, counted from 0.
    pub fn share(self, step: u32) -> f64 {
        if step >= self.steps {
            return 1.0;
        }
        let into = u64::from(step) * u64::from(self.cycles) % u64::from(self.steps);
        (into as f64 / f64::from(self.steps) / f64::from(self.rise)).min(1.0)
    }
}

impl Default for Warmup {
    fn default() -> Self {
        Self::NONE
    }
}

/// Rates of a run that depend on the number of the step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scheduled {
    /// An update's learning rate, its optimizer's corrections, and the factor by which the host lowers the rate: four words
    /// from `at` on.
    Rate {
        /// The place of its first word.
        at: u32,
        /// The update runs in the steps whose number, counted from 1, is a multiple of this; at least 1.
        every: u32,
        /// Adam's betas; zeros for an optimizer without moments.
        betas: [f64; 2],
        /// The learning rate.
        rate: f32,
        /// How it changes.
        schedule: RateSchedule,
    },
    /// The share of a term's weight that counts, one word at `at`.
    Share {
        /// The place of its word.
        at: u32,
        /// How it rises.
        warmup: Warmup,
    },
}

impl Scheduled {
    /// The words that it writes: the place of the first, and their number.
    pub const fn words(self) -> [u32; 2] {
        match self {
            Self::Rate { at, .. } => [at, 4],
            Self::Share { at, .. } => [at, 1],
        }
    }

    /// Writes its words of `rates` as they are after `step` steps.
    pub fn advance(self, rates: &mut [f32], step: u32) {
        match self {
            Self::Share { at, warmup } => rates[at as usize] = warmup.share(step) as f32,
            Self::Rate { at, every, betas, rate, schedule } => {
                let rates = &mut rates[at as usize..];
                rates[0] = (f64::from(rate) * schedule.share(step) * f64::from(rates[3])) as f32;
                if step.is_multiple_of(every) {
                    for (correction, beta) in rates[1..3].iter_mut().zip(betas) {
                        *correction = next_correction(f64::from(*correction), beta) as f32;
                    }
                }
            }
        }
    }
}

/// Adam's `1 - beta^(t+1)` from `1 - beta^t`.
pub fn next_correction(correction: f64, beta: f64) -> f64 {
    correction + (1.0 - beta) * (1.0 - correction)
}
