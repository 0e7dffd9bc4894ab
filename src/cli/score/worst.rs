//! The items that are most out of the ordinary, beside their reconstructions.

use crate::Result;
use crate::data::{Dataset, Items};
use crate::graph::Device;
use crate::infer::{Reconstructor, Scores};
use crate::picture::{Grid, interleaved};
use crate::report::{Unusual, column_names, unusual_rows};
use crate::train::{Checkpoint, figure};

// Rows that have a plot.
const PLOTTED: usize = 24;

/// The items and their reconstructions, the most unusual first.
pub(super) struct Worst<'a> {
    checkpoint: &'a Checkpoint,
    items: Items,
    /// How each is called, and its score.
    called: Vec<String>,
    /// `[items, pixels]`, in the data's units, as the reconstructions.
    given: Vec<f32>,
    reconstructions: Vec<f32>,
}

impl<'a> Worst<'a> {
    /// Those at `places` of `images`.
    pub(super) async fn new(
        device: &Device,
        checkpoint: &'a Checkpoint,
        images: &Dataset,
        scores: &Scores,
        places: Vec<usize>,
    ) -> Result<Self> {
        let called = |at: &usize| {
            let class = images.labels.as_ref().map(|labels| format!(", {}", images.class(labels[*at])));
            format!("{}{}: {}", images.called(*at), class.unwrap_or_default(), figure(scores.anomaly[*at], 4))
        };
        let called = places.iter().map(called).collect();
        let worst = images.at(&places)?;
        let reconstructions = Reconstructor::new(device, checkpoint, &worst).await?.run().await?.images;
        Ok(Self { checkpoint, items: images.items(), called, given: worst.floats(), reconstructions })
    }

    /// A line for each: how it is called, its score, and the column of a table that has most to do with it.
    pub(super) fn lines(&self) -> Vec<String> {
        let by =
            |at: usize| self.unusual(at).map(|row| format!(", most by {}", row.most_by)).unwrap_or_default();
        (0..).zip(&self.called).map(|(at, called)| format!("worst:     {called}{}", by(at))).collect()
    }

    // Of a row of a table, as the model sees it.
    fn unusual(&self, at: usize) -> Option<Unusual> {
        let columns: usize = self.checkpoint.shape.iter().product();
        let row = at * columns..(at + 1) * columns;
        let rows = [&self.given, &self.reconstructions].map(|rows| rows[row.clone()].to_vec());
        let names = column_names(&self.checkpoint.columns, columns);
        let scaling = &self.checkpoint.transform.scaling;
        (self.items == Items::Rows).then(|| Unusual::new(self.called[at].clone(), &names, scaling, rows))
    }

    /// What the picture shows.
    pub(super) fn shown(&self) -> String {
        let (count, with) = (self.called.len(), "with the largest scores");
        match self.items {
            Items::Images => format!("the {count} {with} above their reconstructions"),
            Items::Rows => format!("the {} {with} and their reconstructions", count.min(PLOTTED)),
        }
    }

    /// Images above their reconstructions, or a plot for each row.
    pub(super) fn png(&self) -> Result<Vec<u8>> {
        if self.items == Items::Rows {
            let rows: Vec<Unusual> =
                (0..self.called.len().min(PLOTTED)).filter_map(|at| self.unusual(at)).collect();
            return unusual_rows(&self.shown(), self.checkpoint.transform.scaling.units(), &rows)
                .picture()
                .png();
        }
        let (columns, beside) = (self.called.len().min(10), [&self.given[..], &self.reconstructions]);
        let rows = interleaved(&beside, self.checkpoint.shape.iter().product(), columns);
        let images = &self.checkpoint.transform.shown(rows);
        Grid { images, shape: self.checkpoint.shape, columns }.png()
    }
}
