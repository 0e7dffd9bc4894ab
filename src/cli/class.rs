//! The class that a conditional model is told: that of codes to decode, or that of items.

use clap::{Arg, ArgMatches, Command};

use crate::data::Dataset;
use crate::train::Checkpoint;
use crate::{Error, Result};

// The flag's name.
const CLASS: &str = "class";

/// The flag `--class` of a command that decodes.
#[derive(clap::Args)]
pub(super) struct Class {
    /// Class to decode as, for a conditional model: its name, or a word that no other class has in its name
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
}

/// The flag `--class` of a command that reads items; not there where the command has the other.
pub(super) struct Told<const THERE: bool>(Option<String>);

impl<const THERE: bool> clap::Args for Told<THERE> {
    fn augment_args(command: Command) -> Command {
        let help = "Class that all items are taken as, for a conditional model, in place of their own labels";
        let flag = Arg::new(CLASS).long(CLASS).value_name("CLASS").help(help);
        command.args(THERE.then_some(flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const THERE: bool> clap::FromArgMatches for Told<THERE> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(if THERE { matches.get_one::<String>(CLASS).cloned() } else { None }))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// A flag that says the class of items.
pub(super) trait Tell {
    /// Whether it stands in place of the labels that items have.
    const REPLACES: bool;

    /// The class that was given.
    fn given(&self) -> Option<&str>;

    /// Its label; None where the flag is not given.
    ///
    /// # Errors
    /// [`Error::Setting`] for a class that the model does not know.
    fn label(&self, checkpoint: &Checkpoint) -> Result<Option<u32>> {
        self.given().map(|class| checkpoint.transform.label_of("--class", class)).transpose()
    }

    /// Items with the labels that the model is told: of the flag's `label`, or their own.
    ///
    /// # Errors
    /// [`Error::Setting`] where a conditional model needs a class and neither says one.
    fn told(&self, checkpoint: &Checkpoint, label: Option<u32>, items: Dataset) -> Result<Dataset> {
        let classes = &checkpoint.transform.classes;
        let label = label.filter(|_| Self::REPLACES || items.labels.is_none());
        match label.and_then(|label| u8::try_from(label).ok()) {
            Some(label) => {
                let labels = Some(vec![label; items.len()]);
                Ok(Dataset { labels, classes: classes.clone(), ..items })
            }
            None if classes.is_empty() || items.labels.is_some() => Ok(items),
            None => {
                let expected = format!(
                    "one of the classes {}, or items with labels (a folder for each class, --label COLUMN of a table, \
                     --labels of an array)",
                    classes.join(", ")
                );
                let got = format!("neither for {}, of a conditional model", items.name);
                Err(Error::setting("--class", expected, got))
            }
        }
    }
}

impl<const THERE: bool> Tell for Told<THERE> {
    const REPLACES: bool = true;

    fn given(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl Tell for Class {
    const REPLACES: bool = false;

    fn given(&self) -> Option<&str> {
        self.class.as_deref()
    }
}

impl Class {
    /// The label of each of these items: the flag's, or their own. Nothing for a model that is not conditional. `other` says
    /// what may be given in place of the flag.
    ///
    /// # Errors
    /// [`Error::Setting`] where neither says one, or one that the model does not know.
    pub(super) fn of(
        &self,
        checkpoint: &Checkpoint,
        items: Option<&Dataset>,
        count: usize,
        other: &str,
    ) -> Result<Vec<u32>> {
        let (given, classes) = (self.label(checkpoint)?, &checkpoint.transform.classes);
        if classes.is_empty() {
            return Ok(Vec::new());
        }
        match (given, items.filter(|items| items.labels.is_some())) {
            (Some(label), _) => Ok(vec![label; count]),
            (None, Some(items)) => checkpoint.transform.labels(items),
            (None, None) => {
                let classes = classes.join(", ");
                let expected = format!(
                    "a class to decode as, since the model is conditional: one of {classes}; or else {other}"
                );
                Err(Error::setting("--class", expected, "none"))
            }
        }
    }
}

/// What codes with these labels are decoded as, in words behind what is said of them; nothing for a model that is not
/// conditional.
pub(super) fn as_classes(checkpoint: &Checkpoint, labels: &[u32]) -> String {
    let classes = &checkpoint.transform.classes;
    let name = |labels: &[u32]| {
        let label = labels.first().and_then(|label| classes.get(*label as usize));
        label.cloned().unwrap_or_default()
    };
    match labels.chunk_by(|a, b| a == b).collect::<Vec<_>>()[..] {
        [] => String::new(),
        [all] => format!(", as {}", name(all)),
        [first, last] => {
            format!(", {} as {} and then {} as {}", first.len(), name(first), last.len(), name(last))
        }
        _ => ", each as its class".to_owned(),
    }
}
