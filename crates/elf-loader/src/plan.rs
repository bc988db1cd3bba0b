//! From headers to the list of mappings that make the image.

use crate::error::LoadError;
use crate::header::{Headers, Segment};
use guest::{GUEST_ADDRESS_LIMIT, GuestAddr, PAGE_SIZE};
use linux_abi::{Errno, flags};
use std::ops::Range;

/// One act of mapping an image, in order, within the reserved span.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Maps the file.
    File {
        addr: GuestAddr,
        len: u64,
        prot: u64,
        offset: u64,
    },
    /// Maps zeroed memory.
    Zero { addr: GuestAddr, len: u64, prot: u64 },
    /// Clears what the file has behind the segment's end in its last page. Where the
    /// segment is not writable Linux leaves the file's bytes there.
    Clear { addr: GuestAddr, len: u64 },
}

impl Step {
    /// The pages that the step maps; none for [`Step::Clear`].
    #[must_use]
    pub fn mapped(&self) -> Range<u64> {
        match *self {
            Step::File { addr, len, .. } | Step::Zero { addr, len, .. } => addr.0..addr.page().0 + len,
            Step::Clear { addr, .. } => addr.0..addr.0,
        }
    }
}

const TOO_LARGE: LoadError = LoadError::Map(Errno::ENOMEM);

impl Headers {
    /// The pages from the first segment to the end of the last, as linked.
    ///
    /// # Errors
    /// When they do not fit into the guest's address space.
    pub fn span(&self) -> Result<Range<u64>, LoadError> {
        let (mut first, mut last) = (u64::MAX, 0);
        for segment in &self.segments {
            let end = segment
                .vaddr
                .checked_add(segment.memory_size)
                .filter(|&end| end <= GUEST_ADDRESS_LIMIT - PAGE_SIZE)
                .ok_or(TOO_LARGE)?;
            first = first.min(GuestAddr(segment.vaddr).page().0);
            last = last.max(GuestAddr(end).page_up().0);
        }
        if first >= last {
            return Err(LoadError::Map(Errno::EINVAL));
        }
        Ok(first..last)
    }

    /// The alignment a relocatable image is loaded at: the largest p_align that is a power
    /// of two (as Linux's maximum_alignment), at least a page.
    #[must_use]
    pub fn alignment(&self) -> u64 {
        let largest = self.segments.iter().map(|segment| segment.align);
        largest
            .filter(|align| align.is_power_of_two())
            .fold(PAGE_SIZE, u64::max)
    }

    /// The mappings of the image when its addresses are shifted by `bias` (wrapping: an
    /// image may be loaded below where it was linked).
    ///
    /// # Errors
    /// For segments that cannot be mapped.
    pub fn plan(&self, bias: u64) -> Result<Vec<Step>, LoadError> {
        // These checks make the sums in plan_segment safe.
        let span = self.span()?;
        let (start, end) = (span.start.wrapping_add(bias), span.end.wrapping_add(bias));
        if start >= end || end > GUEST_ADDRESS_LIMIT {
            return Err(TOO_LARGE);
        }
        let mut steps = Vec::with_capacity(self.segments.len() * 2);
        for segment in &self.segments {
            plan_segment(segment, bias, &mut steps)?;
        }
        Ok(steps)
    }

    /// Where the program headers are in memory, if a segment holds them.
    #[must_use]
    pub fn program_headers(&self) -> Option<u64> {
        let holds = |segment: &&Segment| {
            let into = self.phoff.checked_sub(segment.offset);
            into.is_some_and(|into| into < segment.file_size)
        };
        let segment = self.segments.iter().find(holds)?;
        segment.vaddr.checked_add(self.phoff - segment.offset)
    }

    /// Where the heap begins: behind the end of the last segment.
    #[must_use]
    pub fn end(&self) -> u64 {
        let ends = self.segments.iter();
        ends.map(|segment| segment.vaddr.saturating_add(segment.memory_size))
            .max()
            .unwrap_or(0)
    }
}

fn plan_segment(segment: &Segment, bias: u64, steps: &mut Vec<Step>) -> Result<(), LoadError> {
    if segment.memory_size == 0 {
        return Ok(());
    }
    let start = GuestAddr(segment.vaddr.wrapping_add(bias));
    let into_page = start.0 - start.page().0;
    let memory_end = start.0 + segment.memory_size;
    let mut mapped_end = start.page();
    if segment.file_size > 0 {
        let offset = segment.offset.checked_sub(into_page);
        // Linux passes such an offset to mmap, which refuses it.
        let offset = offset.filter(|offset| offset % PAGE_SIZE == 0);
        let offset = offset.ok_or(LoadError::Map(Errno::EINVAL))?;
        let file_end = GuestAddr(start.0 + segment.file_size);
        mapped_end = file_end.page_up();
        steps.push(Step::File {
            addr: start.page(),
            len: mapped_end.0 - start.page().0,
            prot: segment.prot,
            offset,
        });
        let writable = segment.prot & flags::PROT_WRITE != 0;
        if writable && segment.memory_size > segment.file_size && mapped_end > file_end {
            // To the end of the page, as Linux's padzero: the heap may begin there.
            steps.push(Step::Clear {
                addr: file_end,
                len: mapped_end.0 - file_end.0,
            });
        }
    }
    let rest = GuestAddr(memory_end).page_up().0.saturating_sub(mapped_end.0);
    if rest > 0 {
        steps.push(Step::Zero {
            addr: mapped_end,
            len: rest,
            prot: segment.prot,
        });
    }
    Ok(())
}
