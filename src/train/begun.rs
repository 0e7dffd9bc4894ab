//! Runs that begin with what another run learned.

use std::collections::{BTreeMap, BTreeSet};

use super::epoch_state::EpochState;
use super::{Checkpoint, Config, TrainConfig, Trainer};
use crate::graph::{MODEL, Plan, Slots, Store, StoreKind};
use crate::{Error, Result};

// Names that a line tells of a kind.
const SHOWN: usize = 6;

// What a model is, rather than how it is trained.
fn is_learned(store: &&Store) -> bool {
    matches!(store.kind, StoreKind::Parameters | StoreKind::Statistics)
}

fn learned(plan: &Plan) -> BTreeMap<String, Vec<usize>> {
    let slots = plan.stores.iter().filter(is_learned).flat_map(Store::slots);
    slots.map(|(name, slot)| (name, slot.shape.clone())).collect()
}

fn listed(what: &str, names: &[String]) -> Option<String> {
    let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    (!names.is_empty()).then(|| format!("{what}: {shown}{more}"))
}

impl Trainer {
    /// What a run began with that was another's, a sentence each; none where it began with nothing.
    pub fn origin(&self) -> &[String] {
        &self.progress.origin
    }

    /// Takes the parameters and statistics of `other`, a run called `name`, where a name and shape here and there agree.
    /// [`Trainer::origin`] then says what was taken and what was not. Before the first step.
    ///
    /// # Errors
    /// [`Error::Setting`] where nothing agrees.
    pub async fn begin_with(&mut self, other: &Checkpoint, name: &str) -> Result<()> {
        let (here, there) = (learned(self.plan()), learned(&other.training_plan()?));
        let mut slots = self.replay.read_slots().await?;
        let (mut missing_there, mut other_shape, mut taken) = (Vec::new(), Vec::new(), 0);
        for (slot, shape) in &here {
            match (there.get(slot), other.slots.get(slot)) {
                (Some(found), Some((_, values))) if found == shape => {
                    slots.insert(slot.clone(), shape.clone(), values.to_vec());
                    taken += 1;
                }
                (Some(found), _) => other_shape.push(format!("{slot} {shape:?} here, {found:?} there")),
                (None, _) => missing_there.push(slot.clone()),
            }
        }
        let missing_here: Vec<String> =
            there.keys().filter(|slot| !here.contains_key(*slot)).cloned().collect();
        let differences = [
            listed("of another shape", &other_shape),
            listed("not there", &missing_there),
            listed("not here", &missing_here),
        ];
        let differences: Vec<String> = differences.into_iter().flatten().collect();
        if taken == 0 {
            let expected = format!("a run with parameters of this model's names and shapes, unlike {name}");
            return Err(Error::setting("--init", expected, differences.join(". ")));
        }
        self.replay.write_slots(&slots)?;
        let of = here.len();
        let told =
            format!("begun with the parameters of {name} after epoch {}: {taken} of {of}", other.epoch());
        self.progress.origin = [told].into_iter().chain(differences).collect();
        Ok(())
    }

    /// Goes on from `other`, a run called `name` of this model and these data, with other settings of training: with its
    /// moments where the optimizer keeps the same, its position in the data, and learning rates as these settings say, or at
    /// what they fell to where these say nothing new of them.
    ///
    /// # Errors
    /// [`Error::Setting`] for another model, other data, batches or seed, and for a warm-up that is over.
    pub async fn fork(&mut self, other: &Checkpoint, name: &str) -> Result<()> {
        let train = &self.config.train;
        let was = &other.config.train;
        if other.config.model != self.config.model || (was.batch, was.seed) != (train.batch, train.seed) {
            let expected =
                "the run's own model, batch and seed; --init RUN begins a new run with its parameters";
            return Err(Error::setting("fork", expected, "others"));
        }
        // One that is over by the run's own settings has done its work.
        let over = |warmup: &u32| u64::from(*warmup) <= other.step() && was.warmup != train.warmup;
        if let Some(warmup) = train.warmup.filter(over) {
            let expected = format!("more than the {} steps that are done", other.step());
            return Err(Error::setting("warmup", expected, warmup));
        }
        self.check_data(other)?;
        // Where nothing new is said of the rate, what it fell to on plateaus and by going back stays.
        let rate = |train: &TrainConfig| (train.learning_rate, train.optimizer, train.schedule, train.warmup);
        if rate(was) == rate(train) {
            let EpochState { factor, halvings, .. } = other.progress;
            self.progress = EpochState { factor, halvings, ..self.progress.clone() };
        }
        let slots = self.forked_slots(other).await?;
        let differs = differences(&other.config, &self.config)?;
        self.replay.write_slots(&slots)?;
        self.replay.write_state(&other.state)?;
        let EpochState { epoch, step, running, .. } = other.progress.clone();
        let EpochState { factor, halvings, .. } = self.progress;
        let told = format!("forked from {name} after epoch {epoch}, step {step}, with {differs}");
        let origin = [told].into_iter().chain(other.progress.origin.clone()).collect();
        let forked_at = epoch;
        self.progress =
            EpochState { epoch, step, running, origin, forked_at, factor, halvings, ..EpochState::default() };
        Ok(())
    }

    async fn forked_slots(&self, other: &Checkpoint) -> Result<Slots> {
        let mut slots = self.replay.read_slots().await?;
        let stores = &self.plan().stores;
        let found = |store: &Store| {
            store
                .slots()
                .all(|(slot, own)| other.slots.get(&slot).is_some_and(|(shape, _)| shape == own.shape))
        };
        // Corrections belong to moments: those of an update without its own are new, as its moments.
        let update = |store: &Store| {
            let (_, update) = store.prefix.trim_end_matches('.').split_once('.').unwrap_or(("", MODEL));
            update.to_owned()
        };
        let is_new = |store: &&Store| store.kind == StoreKind::Moments && !found(store);
        let new: Vec<String> = stores.iter().filter(is_new).map(update).collect();
        for (slot, own) in stores.iter().flat_map(Store::slots) {
            let Some((shape, values)) = other.slots.get(&slot).filter(|(shape, _)| *shape == own.shape)
            else {
                continue;
            };
            let mut values = values.to_vec();
            if let Some(update) = slot.strip_suffix(".rates") {
                let Some((_, first)) = slots.get(&slot) else { continue };
                // Another rule, as sgd, has other corrections.
                let keeps =
                    !new.iter().any(|new| new == update) && same_rule(&self.config, &other.config, update);
                let [first_correction, second_correction] =
                    if keeps { [values[1], values[2]] } else { [first[1], first[2]] };
                let factor = self.progress.factor.0;
                let rate = if update == MODEL { self.rate_of(other.step()) } else { first[0] * factor };
                values = vec![rate, first_correction, second_correction, factor];
            }
            slots.insert(slot, shape, values);
        }
        Ok(slots)
    }
}

// Whether an update's optimizer has the moments that it had: the model's is the run's.
fn same_rule(config: &Config, other: &Config, update: &str) -> bool {
    let moments = |config: &Config| config.train.optimizer().moments().len();
    update != MODEL || moments(config) == moments(other)
}

// The settings of training in which two configurations differ, in words.
fn differences(was: &Config, is: &Config) -> Result<String> {
    let told = |config: &Config| {
        let text = toml::to_string(&config.train);
        let text = text.map_err(|error| Error::setting("train", "what TOML can hold", error))?;
        let pairs = text.lines().filter_map(|line| line.split_once(" = "));
        Ok::<BTreeMap<_, _>, Error>(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    };
    let (was, is) = (told(was)?, told(is)?);
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let value = |of: &BTreeMap<String, String>, name: &str| {
        of.get(name).cloned().unwrap_or_else(|| "none".to_owned())
    };
    let differing = names.into_iter().filter(|name| was.get(*name) != is.get(*name));
    let lines = differing.map(|name| format!("{name} {} instead of {}", value(&is, name), value(&was, name)));
    Ok(lines.collect::<Vec<_>>().join(", "))
}
