//! Runs that begin with what another run learned.

use std::collections::{BTreeMap, BTreeSet};

use super::epoch_state::EpochState;
use super::state_dict::{here as to_slot, name_there, shape_there};
use super::{Checkpoint, Config, StateDict, TrainConfig, Trainer};
use crate::data::Split;
use crate::graph::{Device, MODEL, Plan, Slots, Store, StoreKind};
use crate::{Error, Result};

// Names that a line tells of a kind.
const SHOWN: usize = 6;

// What a model is, rather than how it is trained.
fn is_learned(store: &&Store) -> bool {
    matches!(store.kind, StoreKind::Parameters | StoreKind::Statistics)
}

/// Shapes by name.
type Shapes = BTreeMap<String, Vec<usize>>;

/// The parameters and statistics of a plan.
pub(super) fn learned(plan: &Plan) -> Shapes {
    let slots = plan.stores.iter().filter(is_learned).flat_map(Store::slots);
    slots.map(|(name, slot)| (name, slot.shape.clone())).collect()
}

fn listed(what: &str, names: &[String]) -> Option<String> {
    let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    (!names.is_empty()).then(|| format!("{what}: {shown}{more}"))
}

// What is here and what is there, name by name.
struct Compared {
    agreeing: BTreeSet<String>,
    // In words.
    differences: Vec<String>,
    // How many there are here.
    of: usize,
}

impl Compared {
    fn new(here: &Shapes, there: &Shapes) -> Self {
        let (mut agreeing, mut other_shape, mut missing_there) = (BTreeSet::new(), Vec::new(), Vec::new());
        for (name, shape) in here {
            match there.get(name) {
                Some(found) if found == shape => drop(agreeing.insert(name.clone())),
                Some(found) => other_shape.push(format!("{name} {shape:?} here, {found:?} there")),
                None => missing_there.push(name.clone()),
            }
        }
        let missing_here: Vec<String> =
            there.keys().filter(|name| !here.contains_key(*name)).cloned().collect();
        let differences = [
            listed("of another shape", &other_shape),
            listed("not there", &missing_there),
            listed("not here", &missing_here),
        ];
        Self { agreeing, differences: differences.into_iter().flatten().collect(), of: here.len() }
    }
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
        let compared = Compared::new(&here, &there);
        let mut slots = self.replay.read_slots().await?;
        for slot in &compared.agreeing {
            if let Some((shape, values)) = other.slots.get(slot) {
                slots.insert(slot.clone(), shape, values.to_vec());
            }
        }
        let of_what = format!("{name} after epoch {}", other.epoch());
        self.begin_from(&slots, compared, "a run with parameters", [name, &of_what])
    }

    /// As [`Trainer::begin_with`], with what a state dict called `name` has under PyTorch's names and in its layouts.
    ///
    /// # Errors
    /// [`Error::Setting`] where nothing agrees.
    pub async fn begin_with_state_dict(&mut self, dict: &StateDict, name: &str) -> Result<()> {
        let own = learned(self.plan());
        let named = |slot: &String| name_there(slot, |name| own.contains_key(name));
        let mut here: Shapes = own.iter().map(|(slot, shape)| (named(slot), shape_there(shape))).collect();
        let mut there: Shapes =
            dict.tensors.iter().map(|(name, tensor)| (name.to_owned(), tensor.shape.clone())).collect();
        let mut no_floats = Vec::new();
        for (name, kind) in &dict.others {
            match here.remove(name) {
                Some(_) => no_floats.push(format!("{name} {kind}")),
                None => drop(there.insert(name.clone(), Vec::new())),
            }
        }
        let mut compared = Compared { of: own.len(), ..Compared::new(&here, &there) };
        compared.differences.extend(listed("of numbers that are no floats", &no_floats));
        let mut slots = self.replay.read_slots().await?;
        for (slot, shape) in &own {
            let name = named(slot);
            if let Some((_, values)) = dict.tensors.get(&name).filter(|_| compared.agreeing.contains(&name)) {
                slots.insert(slot.clone(), shape.clone(), to_slot(shape, values));
            }
        }
        self.begin_from(&slots, compared, "a state dict with tensors", [name, name])
    }

    fn begin_from(
        &mut self,
        slots: &Slots,
        compared: Compared,
        expected: &str,
        [name, of_what]: [&str; 2],
    ) -> Result<()> {
        let Compared { agreeing, differences, of } = compared;
        if agreeing.is_empty() {
            let expected = format!("{expected} of this model's names and shapes, unlike {name}");
            return Err(Error::setting("--init", expected, differences.join(". ")));
        }
        self.replay.write_slots(slots)?;
        let told = format!("begun with the parameters of {of_what}: {} of {of}", agreeing.len());
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
        let slots = self.forked_slots(other, other.step()).await?;
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

    /// Goes on with what `other` learned, on other data of the same form: with its parameters, statistics and moments, and with
    /// the scaling and the centre that were fitted to the data it began with. Epochs, steps and rates begin anew.
    ///
    /// # Errors
    /// As [`Trainer::new`]; [`Error::Shape`] for images of another size, [`Error::Setting`] for another model and for floats
    /// where there were bytes, or the other way.
    pub async fn on_other_data(
        device: &Device,
        config: &Config,
        other: &Checkpoint,
        data: &Split,
    ) -> Result<Self> {
        config.check()?;
        other.check_images(&data.train)?;
        if config.model != other.config.model {
            return Err(Error::setting("model", "the one that goes on", "another"));
        }
        let kind = |bytes: bool| if bytes { "bytes" } else { "floats" };
        let bytes = data.train.values.are_bytes();
        if bytes != other.bytes {
            let expected = format!("{}, as before", kind(other.bytes));
            return Err(Error::setting(format!("data set {}", data.train.name), expected, kind(bytes)));
        }
        let mut trainer = Self::with_transform(device, config, data, other.transform.clone(), None).await?;
        let slots = trainer.forked_slots(other, 0).await?;
        trainer.replay.write_slots(&slots)?;
        Ok(trainer)
    }

    // With the rates of so many steps.
    async fn forked_slots(&self, other: &Checkpoint, step: u64) -> Result<Slots> {
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
                let rate = if update == MODEL { self.rate_of(step) } else { first[0] * factor };
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
