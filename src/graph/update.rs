//! How a step ends: updates, each with the terms it minimizes and the groups it moves, and the step's advance.

use std::collections::BTreeMap;

use super::parameters::MODEL;
use super::plan::Phase;
use super::stores::qualified;
use super::tape::Unwinding;
use super::{Exchange, Graph, Objective, Optimizer, Parameter, Plan, Slice, Store, StoreKind};
use crate::kernels::optimizer::Descend;
use crate::kernels::step::{Advance, RateSchedule, Scheduled};
use crate::{Error, Result};

/// Columns of the loss ring: the most steps one submit may hold.
pub(super) const RING_STEPS: u32 = 64;

// Behind the name of an update: its learning rate, two corrections and a factor.
pub(super) const RATES: &str = ".rates";
// What the dispatches that count a step are called.
pub(super) const ADVANCE: &str = "advance";

/// One of the things a training step does: it minimizes an objective by moving some groups of parameters.
///
/// A step takes all gradients before it moves any parameter: two updates of one step do not see each other's moves.
#[derive(Clone, Debug)]
#[must_use = "an update does nothing until a graph records it"]
pub struct Update {
    pub(super) name: String,
    pub(super) groups: Vec<String>,
    pub(super) objective: Option<Objective>,
    pub(super) optimizer: Option<(Optimizer, f32)>,
    pub(super) schedule: RateSchedule,
    pub(super) clip: Clip,
    pub(super) every: u32,
}

/// What an update does to gradients that are too large. Values are clipped first.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Clip {
    /// The largest global norm: gradients of a larger one are scaled down to it (Pascanu et al. 2013, algorithm 1).
    pub norm: Option<f32>,
    /// The largest magnitude of a gradient's number.
    pub value: Option<f32>,
}

impl Default for Update {
    /// Named [`MODEL`].
    fn default() -> Self {
        Self::new(MODEL)
    }
}

impl Update {
    /// An update of all groups in each step. Without an optimizer it takes gradients but moves nothing.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            groups: Vec::new(),
            objective: None,
            optimizer: None,
            schedule: RateSchedule::default(),
            clip: Clip::default(),
            every: 1,
        }
    }

    /// The terms it minimizes.
    pub fn minimize(self, objective: impl Into<Objective>) -> Self {
        Self { objective: Some(objective.into()), ..self }
    }

    /// The groups that move; without this call all that have parameters.
    pub fn moves(self, groups: &[&str]) -> Self {
        Self { groups: groups.iter().map(|group| (*group).to_owned()).collect(), ..self }
    }

    /// How gradients become moves, and the learning rate.
    pub fn by(self, optimizer: Optimizer, learning_rate: f32) -> Self {
        Self { optimizer: Some((optimizer, learning_rate)), ..self }
    }

    /// How the learning rate changes over the steps.
    pub fn schedule(self, schedule: RateSchedule) -> Self {
        Self { schedule, ..self }
    }

    /// What is done to gradients that are too large.
    pub fn clip(self, clip: Clip) -> Self {
        Self { clip, ..self }
    }

    /// With the settings of another where it has none of its own: optimizer with rate and schedule, and clipping.
    pub fn or(mut self, other: &Self) -> Self {
        if self.optimizer.is_none() {
            (self.optimizer, self.schedule) = (other.optimizer, other.schedule);
        }
        self.clip.norm = self.clip.norm.or(other.clip.norm);
        self.clip.value = self.clip.value.or(other.clip.value);
        self
    }

    /// The terms it minimizes.
    pub fn objective(&self) -> Option<&Objective> {
        self.objective.as_ref()
    }

    /// Every how many steps it runs: in those whose number, counted from 1, is a multiple of it.
    pub fn every(self, steps: u32) -> Self {
        Self { every: steps, ..self }
    }
}

impl Plan {
    /// Columns of the ring of losses, which has a row for each term: the most steps to run between two readings.
    pub const fn ring_steps() -> u32 {
        RING_STEPS
    }
}

impl Graph {
    /// Records the objective's terms and the gradients of the parameters of all groups.
    pub fn minimize(&mut self, objective: impl Into<Objective>) -> Result<()> {
        self.update(Update::default().minimize(objective))
    }

    /// Records an update: its terms, the gradients of the groups that move, and their optimizer. Other groups get no
    /// gradient.
    ///
    /// Each term's mean, unweighted, goes to the ring buffer `ring` `[terms, steps]`, at the column of the step's
    /// number modulo [`Plan::ring_steps`].
    ///
    /// # Errors
    /// [`Error::Setting`] for a name that another update or term has, a group without parameters or named twice, an update
    /// without terms, a period of 0, a rate or a limit that is not positive, and beyond what the kernels count;
    /// [`Error::Shape`] where predictions and targets do not fit each other or are of another graph.
    pub fn update(&mut self, update: Update) -> Result<()> {
        let recorded = self.record_update(&update);
        // After an error too, what comes next is part of no update.
        self.unwinding = Unwinding::default();
        self.phase = Phase::Forward;
        recorded.map(|()| self.updates.push(update.name))
    }

    fn record_update(&mut self, update: &Update) -> Result<()> {
        let Update { name, groups, objective, every, .. } = update;
        self.check_update(update)?;
        let stores = self.stores_of(name, groups)?;
        let Some(objective) = objective else {
            return Err(Error::setting(format!("update {name}"), "terms to minimize", "none"));
        };
        let mut gradients = BTreeMap::new();
        for store in &stores {
            let range = qualified("gradients", &[name, self.stores[*store].group()]);
            let words = self.stores[*store].layout.words();
            if gradients.insert(*store, self.named_buffer(range, words).buffer).is_some() {
                let got = format!("{} twice", self.stores[*store].group());
                return Err(Error::setting(format!("update {name} moves"), "each group once", got));
            }
        }
        self.begin_unwinding(name, *every, gradients);
        let reached = self.record_terms(objective)?;
        self.unwind(&reached)?;
        let sent = |store: &&usize| self.unwinding.sent.iter().any(|(to, _)| to == *store);
        if let Some(store) = stores.iter().find(|store| !groups.is_empty() && !sent(store)) {
            let expected = "groups that its terms depend on";
            return Err(Error::setting(
                format!("update {name} moves"),
                expected,
                self.stores[*store].group(),
            ));
        }
        self.phase = Phase::Update;
        self.move_groups(update, &stores)
    }

    fn check_update(&self, update: &Update) -> Result<()> {
        let refuse = |expected: &str, got: &dyn std::fmt::Display| {
            Err(Error::setting(format!("update {}", update.name), expected, got))
        };
        if self.updates.contains(&update.name) {
            return refuse("a name that no other update of the step has", &update.name);
        }
        if self.advanced {
            return refuse("its place before the step's advance", &"an update behind it");
        }
        if update.every == 0 {
            return refuse("a period of at least 1 step", &0);
        }
        if let Some((optimizer, rate)) = update.optimizer {
            if !(rate.is_finite() && rate > 0.0) {
                return refuse("a positive learning rate", &rate);
            }
            if !optimizer.is_sound() {
                let expected =
                    "momentum and betas in [0, 1), a positive epsilon, a decay that is not negative";
                return refuse(expected, &format_args!("{optimizer:?}"));
            }
        }
        let limits = [update.clip.norm, update.clip.value];
        match limits.into_iter().flatten().find(|limit| !(limit.is_finite() && *limit > 0.0)) {
            Some(limit) => refuse("a positive limit of gradients", &limit),
            None => Ok(()),
        }
    }

    // The stores of these groups; of all where none is named.
    fn stores_of(&self, update: &str, groups: &[String]) -> Result<Vec<usize>> {
        let has_parameters = |store: &Store| store.kind == StoreKind::Parameters && !store.layout.is_empty();
        let all = (0..self.stores.len()).filter(|at| has_parameters(&self.stores[*at]));
        if groups.is_empty() {
            return Ok(all.collect());
        }
        let place = |group: &String| {
            all.clone().find(|at| self.stores[*at].group() == group).ok_or_else(|| {
                let known: Vec<&str> = all.clone().map(|at| self.stores[at].group()).collect();
                let expected = format!("groups with parameters, of {}", known.join(", "));
                Error::setting(format!("update {update} moves"), expected, group)
            })
        };
        groups.iter().map(place).collect()
    }

    fn move_groups(&mut self, update: &Update, stores: &[usize]) -> Result<()> {
        let Some((optimizer, rate)) = update.optimizer else { return Ok(()) };
        for store in stores {
            let gradients = self.flat(*store, self.unwinding.gradients[store]);
            self.exchange(Exchange::Sum(gradients, 1.0));
        }
        self.clip(update, stores)?;
        let betas = optimizer.betas();
        let [first, second] = betas.map(|beta| (1.0 - beta) as f32);
        let schedule = update.schedule;
        let begin = (f64::from(rate) * schedule.share(0)) as f32;
        let rates = self.rate(format!("{}{RATES}", update.name), vec![begin, first, second, 1.0])?;
        let (at, every) = (rates.offset as u32, update.every);
        self.scheduled.push(Scheduled::Rate { at, every, betas, rate, schedule });
        for store in stores {
            self.record_optimizer(update, optimizer, &rates, *store)?;
            let group = self.stores[*store].group().to_owned();
            self.moved.insert(group);
        }
        Ok(())
    }

    fn record_optimizer(
        &mut self,
        update: &Update,
        optimizer: Optimizer,
        rates: &Parameter,
        store: usize,
    ) -> Result<()> {
        let group = self.stores[store].group().to_owned();
        let layout = self.stores[store].layout.zeroed();
        let gradients = self.flat(store, self.unwinding.gradients[&store]);
        let mut operands = vec![self.place(rates), gradients, self.flat(store, self.store_buffers[store])];
        for moment in optimizer.moments() {
            let name = qualified(moment, &[&update.name, &group]);
            if self.stores.iter().any(|store| store.name == name) {
                let (what, got) = (format!("update {}", update.name), format!("{name} again"));
                return Err(Error::setting(what, "a name that gives it moments of its own", got));
            }
            let prefix = format!("{}.", qualified(moment, &[&update.name]));
            for slot in layout.iter() {
                let name = format!("{prefix}{}", slot.name);
                self.check_new_slot(&name)?;
                self.slot_names.insert(name);
            }
            let at = self.store(&name, StoreKind::Moments, &prefix);
            self.stores[at].layout = layout.clone();
            operands.push(self.flat(at, self.store_buffers[at]));
        }
        let label = |what: &str| qualified(what, &[&update.name, &group]);
        let rule = match optimizer {
            Optimizer::Sgd { .. } => "sgd",
            Optimizer::Adam { .. } => "adam",
        };
        let [rates, flat @ ..] = &operands[..] else { return Ok(()) };
        let mut ranges: Vec<_> = flat.iter().map(|slice| slice.bindings()).collect();
        while let Some(range) = ranges.iter_mut().map(Iterator::next).collect::<Option<Vec<Slice>>>() {
            let count = range[0].words as u32;
            self.record(label(rule), Descend { count, optimizer }, &[&[*rates], &range[..]].concat())?;
        }
        Ok(())
    }

    /// Counts a step over `total` images in the state, and updates the numbers that depend on the step. Updates and
    /// warm-ups cannot be recorded behind it.
    ///
    /// # Errors
    /// [`Error::Setting`] for a batch larger than `total`, and where the step advances already.
    pub fn advance(&mut self, total: u32) -> Result<()> {
        if std::mem::replace(&mut self.advanced, true) {
            return Err(Error::setting("advance", "once per step", "twice"));
        }
        self.phase = Phase::Update;
        let (batch, count) = (self.share.whole, total);
        let store = self.stores.iter().position(|store| store.kind == StoreKind::Rates);
        let slice = store.map(|store| self.flat(store, self.store_buffers[store]));
        let rates = slice.map_or(0, |slice| slice.words as u32);
        let operands: Vec<Slice> = [self.state()].into_iter().chain(slice).collect();
        // The one that counts the step comes last: the others need the number as it was. It keeps the means too.
        let mut left = std::mem::take(&mut self.scheduled);
        while left.len() > Advance::MOST {
            let behind = left.split_off(Advance::MOST);
            let some = Advance { batch, count, counts: false, rates, scheduled: left, keeps: None };
            self.record(ADVANCE, some, &operands)?;
            left = behind;
        }
        let last = Advance { batch, count, counts: true, rates, scheduled: left, keeps: None };
        match self.take_means() {
            Some((names, kernel, values)) => {
                let last = Advance { keeps: Some(kernel), ..last };
                self.record(format!("mean {names}; {ADVANCE}"), last, &[&values[..], &operands].concat())?;
            }
            None => self.record(ADVANCE, last, &operands)?,
        }
        self.phase = Phase::Forward;
        Ok(())
    }
}
