//! Flags of the commands that use a trained model: the checkpoint, and the images to use it on.

use std::path::{Path, PathBuf};

use crate::data::{Dataset, DrawnParts, Items, Source};
use crate::graph::Device;
use crate::infer::Encoder;
use crate::run::{Found, Kept};
use crate::train::{Checkpoint, DataConfig};
use crate::{Error, Result};

use super::Context;
use super::class::{Class, Tell, Told};
use super::flags::DataFlags;
use super::loading::{loaded_for, loaded_whole};
use super::output::note;

/// Which of a run's checkpoints; None where the flag is not given, or not there because it means something else.
#[derive(Default)]
pub(super) struct From<const THERE: bool = true>(pub(super) Option<Kept>);

// The flag's name.
const FROM: &str = "from";

impl<const THERE: bool> clap::Args for From<THERE> {
    fn augment_args(command: clap::Command) -> clap::Command {
        let flag = clap::Arg::new(FROM).long(FROM).value_name("WHICH");
        let flag = flag.value_parser(Kept::ALL.map(Kept::name));
        command.args(
            THERE.then(|| {
                flag.help("The checkpoint to take from the run's folder, in place of the usual one")
            }),
        )
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl<const THERE: bool> clap::FromArgMatches for From<THERE> {
    fn from_arg_matches(matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
        let given = if THERE { matches.get_one::<String>(FROM) } else { None };
        Ok(Self(given.and_then(|name| Kept::ALL.into_iter().find(|kept| kept.name() == name))))
    }

    fn update_from_arg_matches(&mut self, matches: &clap::ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// A trained model.
#[derive(clap::Args)]
pub(super) struct Model<const FROM: bool = true> {
    /// A checkpoint file, or a run's folder for its best checkpoint
    #[arg(value_name = "RUN")]
    checkpoint: PathBuf,
    #[command(flatten)]
    from: From<FROM>,
}

impl<const FROM: bool> Model<FROM> {
    /// The file or folder that was given.
    pub(super) fn place(&self) -> &Path {
        &self.checkpoint
    }

    /// Its checkpoint.
    pub(super) fn load(&self, context: &Context) -> Result<Checkpoint> {
        Ok(remarked(Checkpoint::find(&context.registry, &self.checkpoint, self.from.0)?))
    }
}

/// The checkpoint that was found, once its remark is told.
pub(super) fn remarked(Found { checkpoint, remark }: Found) -> Checkpoint {
    remark.iter().for_each(|remark| note(&format!("note: {remark}")));
    checkpoint
}

/// A trained model and the images to use it on.
#[derive(clap::Args)]
pub(super) struct Trained<const FROM: bool = true, const TOLD: bool = true> {
    #[command(flatten)]
    model: Model<FROM>,
    #[command(flatten)]
    told: Told<TOLD>,
    #[command(flatten)]
    data: DataFlags,
    /// Part of the data set: of the run's own data the test part, of other data all, in their own order
    #[arg(long, value_name = "PART", help_heading = "Data", value_parser = ["test", "validation", "train", "all"])]
    part: Option<String>,
}

impl<const FROM: bool> Trained<FROM, true> {
    /// The checkpoint, the images (at least one, of the size that the model was trained on), and the name of their part.
    /// For a conditional model all are of the class that the flag says, else each of its own.
    /// A result that is written to `out` must not take the place of the data.
    pub(super) fn load(
        &self,
        context: &Context,
        out: Option<&Path>,
    ) -> Result<(Checkpoint, Dataset, String)> {
        self.load_told(context, out, &self.told)
    }
}

impl<const FROM: bool> Trained<FROM, false> {
    /// The same for a command that decodes as `class`: images without labels are of that class.
    pub(super) fn load_for(
        &self,
        context: &Context,
        out: Option<&Path>,
        class: &Class,
    ) -> Result<(Checkpoint, Dataset, String)> {
        self.load_told(context, out, class)
    }
}

impl<const FROM: bool, const TOLD: bool> Trained<FROM, TOLD> {
    fn load_told(
        &self,
        context: &Context,
        out: Option<&Path>,
        class: &impl Tell,
    ) -> Result<(Checkpoint, Dataset, String)> {
        let (run, checkpoint) = (&self.model.checkpoint, self.model.load(context)?);
        let label = class.label(&checkpoint)?;
        let own = &checkpoint.config.data;
        let mut data = self.data.over(&checkpoint.config)?;
        let other = (data.source, &data.dir) != (own.source, &own.dir) && data.source.is_path();
        let part = self.part.clone().unwrap_or_else(|| if other { "all" } else { "test" }.to_owned());
        if self.part.is_none() && !other && data.source.is_path() && self.data.is_given() {
            note("note: that is the run's own data: of it the test part; --part all for all");
        }
        if other && data.source == Source::Folder && own.source != Source::Folder {
            check_pictures(&checkpoint)?;
        }
        let (given, required) = (data.clone(), self.data.required());
        data = data.seen_from(run);
        out.map_or(Ok(()), |out| check_out(out, &data))?;
        let images = if part == "all" {
            loaded_whole(&data, &checkpoint, required)?
        } else {
            let drawn = drawn_parts(run, own, &given)?;
            let split = loaded_for(&data, &checkpoint, required, drawn)?;
            // A model of another program's arrays names no file.
            let own = data.source != Source::Sample || checkpoint.was_trained_on(&split.train);
            if !own && !self.data.is_given() {
                note(
                    "note: the model was not trained on the built-in sample, which these results are of: give --data",
                );
            }
            match part.as_str() {
                "train" => split.train,
                "validation" => split.validation,
                _ => split.test,
            }
        };
        if images.is_empty() {
            let got = format!("{part}, which has none");
            return Err(Error::setting("--part", "a part with images, or all", got));
        }
        checkpoint.check_images(&images)?;
        let images = class.told(&checkpoint, label, images)?;
        Ok((checkpoint, images, part))
    }

    /// A part of the run's own data.
    pub(super) fn own_part(&self, checkpoint: &Checkpoint, part: &str) -> Result<Dataset> {
        let (run, own) = (&self.model.checkpoint, &checkpoint.config.data);
        let split = drawn_parts(run, own, own)
            .and_then(|drawn| loaded_for(&own.clone().seen_from(run), checkpoint, Vec::new(), drawn))
            .map_err(|error| {
                let expected = "the run's own data at their place, or the threshold of an earlier result with \
                                --threshold-from scores.csv.json";
                Error::setting("--threshold", expected, error)
            })?;
        let images = if part == "train" { split.train } else { split.validation };
        if images.is_empty() {
            let got = format!("{part}, which has none");
            return Err(Error::setting("--threshold-part", "a part with items", got));
        }
        Ok(images)
    }
}

/// The parts that a run drew, where `data` asks for the same of the same data.
pub(super) fn drawn_parts(run: &Path, own: &DataConfig, data: &DataConfig) -> Result<Option<DrawnParts>> {
    let of = |data: &DataConfig| {
        (data.source, data.dir.clone(), data.val.clone(), data.test.clone(), data.validation)
    };
    if of(data) == of(own) { DrawnParts::find(run) } else { Ok(None) }
}

// Pictures are brought to the shape of a model's items, but rows are none.
fn check_pictures(checkpoint: &Checkpoint) -> Result<()> {
    match Items::of(checkpoint.shape) {
        Items::Images => Ok(()),
        Items::Rows => Err(DataConfig::pictures_for_rows(checkpoint.shape[1])),
    }
}

// Refuses to write a result onto the data that it is made from.
fn check_out(out: &Path, data: &DataConfig) -> Result<()> {
    // What is not there yet takes no place.
    let Ok(out) = out.canonicalize() else { return Ok(()) };
    let takes = |place: &PathBuf| {
        // In a folder of pictures, results of narrows are told from data by their mark.
        let pictures = Source::at(place) == Some(Source::Folder);
        let place = place.canonicalize().ok();
        place.is_some_and(|place| out == place || !pictures && out.parent() == Some(&place))
    };
    if ![&data.dir, &data.val, &data.test].into_iter().flatten().any(takes) {
        return Ok(());
    }
    let got = format!("{}, which the data are read from", out.display());
    Err(Error::setting("--out", "a new file, or one that is not among the data", got))
}

/// Image or row `number` of a part, in words.
pub(super) fn numbered(number: usize, images: &Dataset, part: &str) -> String {
    let one = images.items().one();
    if part == "all" { format!("{one} {number}") } else { format!("{part} {one} {number}") }
}

/// The images or rows of a part, in words.
pub(super) fn counted(images: &Dataset, part: &str) -> String {
    let (count, called) = (images.len(), images.items().of_count(images.len()));
    if part == "all" { format!("{count} {called}") } else { format!("{count} {part} {called}") }
}

/// Image `number`, for a flag.
pub(super) fn chosen(flag: &str, number: usize, images: &Dataset) -> Result<Dataset> {
    if number < images.len() {
        return images.slice(number..number + 1);
    }
    let (any, last) = (images.items().any(), images.len() - 1);
    Err(Error::setting(flag, format!("the number of {any}, from 0 to {last}"), number))
}

/// The codes E[z given x], `[images, latent]`.
pub(super) async fn codes(device: &Device, checkpoint: &Checkpoint, images: &Dataset) -> Result<Vec<f32>> {
    Encoder::new(device, checkpoint, images).await?.run().await
}
