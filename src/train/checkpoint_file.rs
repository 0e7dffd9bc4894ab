//! A checkpoint as one safetensors file, written whole or not at all.
//!
//! Parameters and running statistics stand under their names in PyTorch's shapes, so other tools can read them; the
//! optimizer's moments beside them as `moment1.NAME`; what is no tensor as JSON in the file's metadata.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::metrics::RunningLosses;
use super::trainer::{DataMark, EpochState};
use super::{Checkpoint, Config, Losses};
use crate::graph::{Parameter, ParameterLayout};
use crate::kernels::state::State;
use crate::{Error, Result};

const FORMAT: &str = "narrows checkpoint 1";

// What does not fit tensors. Sums are kept as bits: they must come back exactly.
#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    config: Config,
    shape: [usize; 3],
    matmul: Option<String>,
    data: DataMark,
    epoch: u32,
    step: u64,
    running_steps: u64,
    running_sum_bits: [u64; 2],
    best_bits: Option<u64>,
}

impl Header {
    fn of(checkpoint: &Checkpoint) -> Self {
        let EpochState { epoch, step, running, best } = checkpoint.progress;
        Self {
            format: FORMAT.to_owned(),
            config: checkpoint.config.clone(),
            shape: checkpoint.shape,
            matmul: checkpoint.matmul.clone(),
            data: checkpoint.data,
            epoch,
            step,
            running_steps: running.steps,
            running_sum_bits: [running.sum.reconstruction.to_bits(), running.sum.penalty.to_bits()],
            best_bits: best.map(f64::to_bits),
        }
    }

    fn progress(&self) -> EpochState {
        let [reconstruction, penalty] = self.running_sum_bits.map(f64::from_bits);
        EpochState {
            epoch: self.epoch,
            step: self.step,
            running: RunningLosses { sum: Losses { reconstruction, penalty }, steps: self.running_steps },
            best: self.best_bits.map(f64::from_bits),
        }
    }
}

// One tensor on its way into the file.
struct Entry {
    name: String,
    shape: Vec<usize>,
    dtype: Dtype,
    bytes: Vec<u8>,
}

impl Entry {
    fn new(name: String, shape: Vec<usize>, dtype: Dtype, words: &[u32]) -> Self {
        let bytes = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        Self { name, shape, dtype, bytes }
    }

    // What a flat buffer holds of a parameter.
    fn of(prefix: &str, layout: &ParameterLayout, parameter: &Parameter, flat: &[f32]) -> Self {
        let words = bytemuck::cast_slice(layout.view(parameter, flat));
        Self::new(format!("{prefix}{}", parameter.name), parameter.shape.clone(), Dtype::F32, words)
    }
}

impl Checkpoint {
    /// Writes the file whole or not at all: beside its place first, then moved there.
    ///
    /// # Errors
    /// [`Error::Io`] naming the file.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let refuse = |message: String| Error::File {
            path: path.to_owned(),
            expected: "a checkpoint that can be written".to_owned(),
            found: message,
        };
        let header = serde_json::to_string(&Header::of(self)).map_err(|error| refuse(error.to_string()))?;
        let entries = self.entries()?;
        let views = entries.iter().map(|entry| {
            let view = TensorView::new(entry.dtype, entry.shape.clone(), &entry.bytes);
            Ok((entry.name.as_str(), view.map_err(|error| refuse(error.to_string()))?))
        });
        let views = views.collect::<Result<Vec<_>>>()?;
        let metadata = HashMap::from([("narrows".to_owned(), header)]);
        let bytes =
            safetensors::serialize(views, Some(metadata)).map_err(|error| refuse(error.to_string()))?;
        write_whole(path, &bytes)
    }

    fn entries(&self) -> Result<Vec<Entry>> {
        let [parameters, statistics] = self.layouts()?;
        let mut entries = Vec::new();
        for parameter in parameters.iter() {
            entries.push(Entry::of("", &parameters, parameter, &self.parameters));
            for (moment, flat) in &self.moments {
                entries.push(Entry::of(&format!("{moment}."), &parameters, parameter, flat));
            }
        }
        for statistic in statistics.iter() {
            entries.push(Entry::of("", &statistics, statistic, &self.statistics));
        }
        if let Some(center) = &self.center {
            let words = bytemuck::cast_slice(center);
            entries.push(Entry::new("center".to_owned(), vec![center.len()], Dtype::F32, words));
        }
        let words = self.state.words();
        entries.push(Entry::new("state".to_owned(), vec![State::WORDS], Dtype::U32, words));
        Ok(entries)
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] naming what is missing or damaged.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let file = Reader { path, tensors: SafeTensors::deserialize(&bytes).map_err(|e| damaged(path, &e))? };
        let header = file.header(&bytes)?;
        let mut checkpoint = Self {
            shape: header.shape,
            matmul: header.matmul.clone(),
            parameters: Vec::new(),
            statistics: Vec::new(),
            moments: Vec::new(),
            center: None,
            state: State::new(0, 0.0, [0.0; 2]),
            progress: header.progress(),
            data: header.data,
            config: header.config,
        };
        let [layout, statistics] =
            checkpoint.layouts().map_err(|error| file.refuse("a model that can be", error))?;
        // A header may claim a model of any size; memory is taken only for one that the file can hold.
        let count = layout.count() + statistics.count();
        if count > bytes.len() / 4 {
            let expected = format!("the {count} parameters of its model");
            return Err(file.refuse(expected, format!("{} bytes", bytes.len())));
        }
        checkpoint.parameters = file.flat("parameters", "", &layout)?;
        checkpoint.statistics = file.flat("statistics", "", &statistics)?;
        for moment in checkpoint.config.train.optimizer().moments() {
            let prefix = format!("{moment}.");
            let flat = file.flat(&format!("every {prefix}*"), &prefix, &layout)?;
            checkpoint.moments.push(((*moment).to_owned(), flat));
        }
        if checkpoint.config.model.center {
            let pixels = checkpoint.shape.iter().product::<usize>();
            checkpoint.center = Some(bytemuck::cast_vec(file.sized("center", pixels)?));
        }
        checkpoint.state = State::from_words(&file.sized("state", State::WORDS)?);
        Ok(checkpoint)
    }
}

fn damaged(path: &Path, error: &safetensors::SafeTensorError) -> Error {
    let expected = "a whole safetensors file".to_owned();
    Error::File { path: path.to_owned(), expected, found: format!("a damaged or foreign one ({error})") }
}

struct Reader<'a> {
    path: &'a Path,
    tensors: SafeTensors<'a>,
}

impl Reader<'_> {
    fn refuse(&self, expected: impl ToString, found: impl ToString) -> Error {
        Error::File { path: self.path.to_owned(), expected: expected.to_string(), found: found.to_string() }
    }

    fn header(&self, bytes: &[u8]) -> Result<Header> {
        #[derive(Deserialize)]
        struct Format {
            format: String,
        }
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| damaged(self.path, &error))?;
        let text = metadata.metadata().as_ref().and_then(|metadata| metadata.get("narrows"));
        let Some(text) = text else {
            return Err(self.refuse("a checkpoint of narrows", "safetensors of another program"));
        };
        // The format first: a later one may have other fields.
        match serde_json::from_str(text) {
            Ok(Format { format }) if format != FORMAT => {
                return Err(self.refuse(format!("{FORMAT:?}"), format!("{format:?}")));
            }
            _ => {}
        }
        serde_json::from_str(text).map_err(|error| self.refuse(format!("the fields of a {FORMAT}"), error))
    }

    // The shape and words of a tensor; None where there is none of 32-bit words.
    fn words(&self, name: &str) -> Option<(Vec<usize>, Vec<u32>)> {
        let tensor = self.tensors.tensor(name).ok()?;
        let is_word = matches!(tensor.dtype(), Dtype::F32 | Dtype::U32);
        is_word.then(|| (tensor.shape().to_vec(), bytemuck::pod_collect_to_vec(tensor.data())))
    }

    fn flat(&self, what: &str, prefix: &str, layout: &ParameterLayout) -> Result<Vec<f32>> {
        let tensor = |name: &str| Some((name.to_owned(), self.words(&format!("{prefix}{name}"))?));
        let found: HashMap<String, (Vec<usize>, Vec<u32>)> =
            layout.iter().filter_map(|parameter| tensor(&parameter.name)).collect();
        let get =
            |name: &str| found.get(name).map(|(shape, words)| (shape.clone(), bytemuck::cast_slice(words)));
        layout.pack(get).map_err(|error| self.refuse(format!("{what} of its model"), error))
    }

    fn sized(&self, name: &str, length: usize) -> Result<Vec<u32>> {
        let found = self.words(name).map(|(_, words)| words).filter(|words| words.len() == length);
        found.ok_or_else(|| self.refuse(format!("a tensor {name:?} of {length} words"), "none"))
    }
}

/// Writes a file whole or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // As any file that is created: the umask decides who else may read it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(Error::io("create", path))?;
    file.write_all(bytes).map_err(Error::io("write", path))?;
    file.as_file().sync_all().map_err(Error::io("write", path))?;
    file.persist(path).map_err(|error| Error::io("write", path)(error.error))?;
    Ok(())
}
