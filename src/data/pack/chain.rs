//! Files with the same columns, read one after the other.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::data::cell::shortened;
use crate::data::delimited::{DelimitedPieces, DelimitedRows};
use crate::data::input::Input;
use crate::data::layout::FileLayout;
use crate::data::options::ReadOptions;
use crate::data::outline::Outline;
use crate::data::raw_table::TextLayout;
use crate::data::read::{OpenedAs, for_name, layer_of, table_file};
use crate::data::source::{Opened, Source};
use crate::data::table_source::{PendingRows, TableFile, TableSource};
use crate::data::text::Text;
use crate::{Error, Result, Warning};

/// A sequence of files.
pub(super) struct Chain {
    files: Arc<[Box<dyn TableFile>]>,
    outline: Outline,
}

impl Chain {
    /// Opens the files. They can be read from the start repeatedly.
    ///
    /// # Errors
    /// [`Error::Usage`] for standard input, [`Error::Mismatch`] for images, [`Error::Data`] for files whose columns
    /// differ from those of the first.
    pub(super) fn new(sources: &[Source], options: &ReadOptions) -> Result<Self> {
        let files = sources.iter().map(|source| open(source, options)).collect::<Result<Vec<_>>>()?;
        let mut outline = files[0].open()?.outline().clone();
        for (file, source) in files.iter().zip(sources).skip(1) {
            let opened = file.open()?;
            let names = &opened.outline().names;
            if (names, opened.outline().named) != (&outline.names, outline.named) {
                let (first, expected, found) =
                    (sources[0].name().display(), shortened(&outline.names), shortened(names));
                let message = format!("expected the columns of {first} ({expected}), found {found}");
                return Err(Error::data(source.name(), message));
            }
            outline.warnings.extend(opened.outline().warnings.iter().cloned());
        }
        if files.len() > 1 {
            outline.notes.push(format!("{} files, one after the other", files.len()));
        }
        Ok(Self { files: files.into(), outline })
    }

    /// Number of columns.
    pub(super) fn columns(&self) -> usize {
        self.outline.names.len()
    }
}

fn open(source: &Source, options: &ReadOptions) -> Result<Box<dyn TableFile>> {
    if *source == Source::Stdin {
        let message =
            "files are read more than once to pack them, and standard input cannot be: save it to a file first";
        return Err(Error::Usage(message.to_owned()));
    }
    let images = || {
        let path = source.name().display();
        let message = format!("{path}: expected a table, found images of bytes, which are trained on as they are");
        Err(Error::Mismatch(message))
    };
    match Input::open(source)?.refuse_misfits(options)? {
        Input::Parts(file) => Ok(Box::new(file)),
        Input::Folder(_) => images(),
        Input::File(source, opened) => match layer_of(&source, &opened, options) {
            OpenedAs::Images => images(),
            OpenedAs::Table(format) => Ok(table_file(&source, opened, format, options)?.0),
            OpenedAs::Delimited => Ok(Box::new(DelimitedFile { options: for_name(&source, options), source })),
        },
    }
}

/// A file of delimited text.
struct DelimitedFile {
    source: Source,
    options: ReadOptions,
}

impl TableFile for DelimitedFile {
    fn open(&self) -> Result<Box<dyn TableSource>> {
        let mut text = Text::of_table(Opened::new(&self.source)?, &self.options)?;
        let layout = FileLayout::find(&mut text, &self.options)?;
        if layout.outline.names.len() == 1 {
            return Ok(Box::new(DelimitedRows::new(text, layout, &self.options)?));
        }
        Ok(Box::new(DelimitedPieces::new(text, layout, &self.options)?))
    }
}

impl TableFile for Chain {
    fn open(&self) -> Result<Box<dyn TableSource>> {
        let current = self.files[0].open()?;
        let path = current.path().to_path_buf();
        let (files, outline) = (Arc::clone(&self.files), self.outline.clone());
        Ok(Box::new(ChainRows { files, outline, path, current, next: 1, over: Vec::new() }))
    }
}

/// The rows of a sequence of files.
struct ChainRows {
    files: Arc<[Box<dyn TableFile>]>,
    outline: Outline,
    path: PathBuf,
    current: Box<dyn TableSource>,
    next: usize,
    /// Warnings about files that were read completely.
    over: Vec<Warning>,
}

impl TableSource for ChainRows {
    fn path(&self) -> &Path {
        &self.path
    }

    fn outline(&self) -> &Outline {
        &self.outline
    }

    fn read(&mut self, most: usize, batch: &mut PendingRows<'_>) -> Result<()> {
        loop {
            self.current.read(most, batch)?;
            if batch.lines.len() >= most || self.next == self.files.len() {
                return Ok(());
            }
            self.over.extend(self.current.warnings());
            self.current = self.files[self.next].open()?;
            self.next += 1;
        }
    }

    fn layout(&self) -> Option<TextLayout> {
        self.current.layout()
    }

    fn notes(&self) -> Vec<String> {
        self.current.notes()
    }

    fn warnings(&self) -> Vec<Warning> {
        self.over.iter().cloned().chain(self.current.warnings()).collect()
    }
}
