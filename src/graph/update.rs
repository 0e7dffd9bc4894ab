//! How a step ends: updates, each with the terms it minimizes and the groups it moves, and the step's advance.

use std::collections::BTreeMap;

use super::parameters::{MODEL, StoreKind, qualified};
use super::plan::{BufferId, Phase};
use super::tape::Unwinding;
use super::{Graph, Objective, Optimizer, Parameter, Plan, Slice};
use crate::kernels::optimizer::{Adam, Sgd};
use crate::kernels::step::{Advance, RateSchedule, Scheduled};
use crate::{Error, Result};

/// Columns of the loss ring: the most steps one submit may hold.
pub(super) const RING_STEPS: u32 = 64;

/// One of the things a training step does: it minimizes an objective by moving some groups of parameters.
///
/// A step takes all gradients at the parameters that it found, and only then moves any: two updates of one step do not
/// see each other's moves.
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
    /// An update of all groups in each step, which takes gradients but moves nothing as long as it has no optimizer.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            groups: Vec::new(),
            objective: None,
            optimizer: None,
            schedule: RateSchedule::Constant,
            clip: Clip::default(),
            every: 1,
        }
    }

    /// The terms it minimizes.
    pub fn minimize(self, objective: impl Into<Objective>) -> Self {
        Self { objective: Some(objective.into()), ..self }
    }

    /// The groups that move; all that have parameters where this is not said.
    pub fn moves(self, groups: &[&str]) -> Self {
        Self { groups: groups.iter().map(|group| (*group).to_owned()).collect(), ..self }
    }

    /// How gradients become moves, and the learning rate that it begins with.
    pub fn by(self, optimizer: Optimizer, learning_rate: f32) -> Self {
        Self { optimizer: Some((optimizer, learning_rate)), ..self }
    }

    /// How the learning rate goes on.
    pub fn schedule(self, schedule: RateSchedule) -> Self {
        Self { schedule, ..self }
    }

    /// What is done to gradients that are too large.
    pub fn clip(self, clip: Clip) -> Self {
        Self { clip, ..self }
    }

    /// What it does not say itself taken from another: optimizer with rate and schedule, and clipping.
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
    /// Columns of the ring that losses are recorded in, a row for each term: the most steps to run between two readings.
    pub const fn ring_steps() -> u32 {
        RING_STEPS
    }
}

impl Graph {
    /// Records the objective's terms, their gradients, and the whole way back to the parameters of all groups.
    ///
    /// # Errors
    /// As [`Graph::update`].
    pub fn minimize(&mut self, objective: impl Into<Objective>) -> Result<()> {
        self.update(Update::default().minimize(objective))
    }

    /// Records an update: its terms with their gradients, the way back to the groups that move, and their optimizer.
    /// What does not move gets no gradient.
    ///
    /// Each term's mean, unweighted, goes to the ring buffer `ring` `[terms, steps]`, at the column of the step's
    /// number modulo [`Plan::ring_steps`].
    ///
    /// # Errors
    /// [`Error::Setting`] for a name that another update or term has, a group without parameters, an update without
    /// terms, a period of 0, a rate or a limit that is not positive, and beyond what the kernels count;
    /// [`Error::Shape`] where predictions and targets do not fit each other or are of another graph.
    pub fn update(&mut self, update: Update) -> Result<()> {
        let Update { name, groups, objective, every, .. } = &update;
        self.check_update(&update)?;
        let stores = self.stores_of(name, groups)?;
        let Some(objective) = objective else {
            return Err(Error::setting(format!("update {name}"), "terms to minimize", "none"));
        };
        let mut gradients = BTreeMap::new();
        for store in &stores {
            let range = qualified("gradients", &[name, self.stores[*store].group()]);
            let words = self.stores[*store].layout.words();
            gradients.insert(*store, self.named_buffer(range, words).buffer);
        }
        self.begin_unwinding(name, *every, gradients);
        let reached = self.record_terms(objective)?;
        self.unwind(&reached)?;
        self.phase = Phase::Update;
        self.move_groups(&update, &stores)?;
        self.unwinding = Unwinding::default();
        self.phase = Phase::Forward;
        self.updates.push(update.name);
        Ok(())
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
        if let Some((_, rate)) = update.optimizer
            && !(rate.is_finite() && rate > 0.0)
        {
            return refuse("a positive learning rate", &rate);
        }
        let limits = [update.clip.norm, update.clip.value];
        match limits.into_iter().flatten().find(|limit| !(limit.is_finite() && *limit > 0.0)) {
            Some(limit) => refuse("a positive limit of gradients", &limit),
            None => Ok(()),
        }
    }

    fn stores_of(&self, update: &str, groups: &[String]) -> Result<Vec<usize>> {
        let parameters = || {
            let all = self.stores.iter().enumerate();
            all.filter(|(_, store)| store.kind == StoreKind::Parameters && !store.layout.is_empty())
        };
        if groups.is_empty() {
            return Ok(parameters().map(|(at, _)| at).collect());
        }
        let place = |group: &String| {
            let name = qualified("parameters", &[group]);
            parameters().find(|(_, store)| store.name == name).map(|(at, _)| at).ok_or_else(|| {
                let known: Vec<&str> = parameters().map(|(_, store)| store.group()).collect();
                let expected = format!("groups with parameters, of {}", known.join(", "));
                Error::setting(format!("update {update} moves"), expected, group)
            })
        };
        groups.iter().map(place).collect()
    }

    fn move_groups(&mut self, update: &Update, stores: &[usize]) -> Result<()> {
        let Some((optimizer, rate)) = update.optimizer else { return Ok(()) };
        self.clip(update, stores)?;
        let betas = optimizer.betas();
        let [first, second] = betas.map(|beta| (1.0 - beta) as f32);
        let rates = self.rate(format!("{}.rates", update.name), vec![rate, first, second])?;
        let (at, every, schedule) = (rates.offset as u32, update.every, update.schedule);
        self.scheduled.push(Scheduled::Rate { at, every, betas, schedule });
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
        let layout = self.stores[store].layout.clone();
        let words = layout.words();
        let group = self.stores[store].group().to_owned();
        let flat = |buffer: BufferId| Slice { buffer, offset: 0, words };
        let gradients = self.unwinding.gradients[&store];
        let mut operands = vec![self.place(rates), flat(gradients), flat(self.store_buffers[store])];
        for moment in optimizer.moments() {
            let name = qualified(moment, &[&update.name, &group]);
            let prefix = format!("{}.", qualified(moment, &[&update.name]));
            let at = self.store(&name, StoreKind::Moments, &prefix);
            self.stores[at].layout = layout.zeroed();
            operands.push(flat(self.store_buffers[at]));
        }
        let count = words as u32;
        let label = |what: &str| qualified(what, &[&update.name, &group]);
        match optimizer {
            Optimizer::Sgd { momentum, weight_decay } => {
                self.record(label("sgd"), Sgd { count, momentum, weight_decay }, &operands)
            }
            Optimizer::Adam { beta1, beta2, epsilon, weight_decay, decoupled } => {
                let kernel = Adam { count, beta1, beta2, epsilon, weight_decay, decoupled };
                self.record(label("adam"), kernel, &operands)
            }
        }
    }

    /// Moves the state on by one step over `total` images, and what follows the number of the step with it. Nothing that
    /// follows it can be recorded behind it.
    ///
    /// # Errors
    /// [`Error::Setting`] for a batch larger than `total`.
    pub fn advance(&mut self, total: u32) -> Result<()> {
        self.phase = Phase::Update;
        self.advanced = true;
        let scheduled = std::mem::take(&mut self.scheduled);
        let rates = self.stores.iter().position(|store| store.kind == StoreKind::Rates);
        let rates = rates.map(|at| (self.store_buffers[at], self.stores[at].layout.words()));
        let rates = rates.map(|(buffer, words)| Slice { buffer, offset: 0, words });
        let operands: Vec<Slice> = [self.state()].into_iter().chain(rates).collect();
        let words = rates.map_or(0, |rates| rates.words as u32);
        // The one that counts the step comes last: the others see the number as it was.
        let mut parts: Vec<&[Scheduled]> = scheduled.chunks(Advance::MOST).collect();
        let last = parts.pop().unwrap_or_default();
        for (part, counts) in parts.into_iter().map(|part| (part, false)).chain([(last, true)]) {
            let (batch, scheduled) = (self.batch, part.to_vec());
            self.record(
                "advance",
                Advance { batch, count: total, counts, rates: words, scheduled },
                &operands,
            )?;
        }
        self.phase = Phase::Forward;
        Ok(())
    }
}
