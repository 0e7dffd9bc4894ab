//! The class that codes are decoded as, of a conditional model.

use crate::data::Dataset;
use crate::train::Checkpoint;
use crate::{Error, Result};

/// The flag `--class`.
#[derive(clap::Args)]
pub(super) struct Class {
    /// Class to decode as, for a conditional model: its name, or a word that no other class has in its name
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
}

impl Class {
    /// Its label; None where the flag is not given.
    ///
    /// # Errors
    /// [`Error::Setting`] for a class that the model does not know.
    pub(super) fn label(&self, checkpoint: &Checkpoint) -> Result<Option<u32>> {
        self.class.as_ref().map(|class| checkpoint.transform.label_of("--class", class)).transpose()
    }

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
