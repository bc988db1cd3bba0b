//! [`Symbols`]: where a program's functions and objects are.

use goblin::elf::Elf;
use guest::GuestAddr;
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// The symbols that a program's tables define, read when the first is asked for.
pub struct Symbols {
    file: File,
    /// Where the program's entry point is in memory.
    entry: u64,
    addresses: Option<HashMap<String, GuestAddr>>,
}

impl Symbols {
    pub fn new(file: File, entry: u64) -> Symbols {
        Symbols {
            file,
            entry,
            addresses: None,
        }
    }

    pub fn find(&mut self, name: &str) -> Option<GuestAddr> {
        let Symbols {
            file,
            entry,
            addresses,
        } = self;
        // A program may do without tables, or have some that make no sense: then it names nothing.
        let addresses = addresses.get_or_insert_with(|| read(file, *entry).unwrap_or_default());
        addresses.get(name).copied()
    }
}

fn read(file: &File, entry: u64) -> Option<HashMap<String, GuestAddr>> {
    let mut bytes = vec![0; usize::try_from(file.metadata().ok()?.len()).ok()?];
    file.read_exact_at(&mut bytes, 0).ok()?;
    let elf = Elf::parse(&bytes).ok()?;
    let bias = entry.wrapping_sub(elf.entry);
    // The full table, where it was not stripped, knows more.
    let tables = [(&elf.dynsyms, &elf.dynstrtab), (&elf.syms, &elf.strtab)];
    let named = tables.into_iter().flat_map(|(symbols, strings)| {
        let defined = symbols
            .iter()
            .filter(|symbol| symbol.st_shndx != 0 && symbol.st_name != 0);
        defined.filter_map(|symbol| Some((strings.get_at(symbol.st_name)?.to_owned(), symbol.st_value)))
    });
    Some(
        named
            .map(|(name, value)| (name, GuestAddr(value.wrapping_add(bias))))
            .collect(),
    )
}
