//! Inputs that are almost right, each a function of a seed.
#![allow(unreachable_pub)]

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub struct Mutator(u64);

// Numbers at which arithmetic goes wrong.
const EXTREMES: [u64; 12] = [
    0,
    1,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];
// The same, and other trouble, as text.
const WORDS: [&str; 20] = [
    "0",
    "-1",
    "1e400",
    "-1e-400",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551616",
    "nan",
    "-inf",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\n",
    ",",
    ";",
    "\u{0}",
    "\u{fffd}",
    "''",
];

impl Mutator {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`, or 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// One of these.
    pub fn of<'a, T>(&mut self, some: &'a [T]) -> &'a T {
        &some[self.below(some.len())]
    }

    /// One of `seeds`, changed in one to three places.
    pub fn mutated(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = self.of(seeds).clone();
        for _ in 0..=self.below(3) {
            self.change(&mut bytes, seeds);
        }
        bytes
    }

    // Half of all changes are in the first bytes, where headers are.
    fn change(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let within = if self.below(2) == 0 { bytes.len().min(160) } else { bytes.len() };
        let at = self.below(within);
        match self.below(10) {
            0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << self.below(8)),
            1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = self.next() as u8),
            2 => bytes.truncate(at),
            3 => {
                let width = 1 << self.below(4);
                let number = *self.of(&EXTREMES);
                let number = if self.below(2) == 0 { number.to_le_bytes() } else { number.to_be_bytes() };
                let number = if number[0] == 0 { &number[8 - width..] } else { &number[..width] };
                bytes.iter_mut().skip(at).zip(number).for_each(|(byte, new)| *byte = *new);
            }
            4 => {
                let (other, to) = (self.of(seeds).clone(), at);
                let from = self.below(other.len());
                let end = from + self.below(other.len() - from).min(64);
                bytes.splice(to..to, other[from..end].iter().copied());
            }
            5 => {
                let end = at + self.below(bytes.len() - at).min(64);
                bytes.drain(at..end);
            }
            6 => {
                let word = self.of(&WORDS).as_bytes();
                bytes.splice(at..at, word.iter().copied());
            }
            // A number in text becomes another.
            _ => {
                let Some(begin) = bytes[at..].iter().position(u8::is_ascii_digit).map(|digit| at + digit)
                else {
                    return;
                };
                let end = bytes[begin..].iter().position(|byte| !byte.is_ascii_digit());
                let end = end.map_or(bytes.len(), |length| begin + length);
                let word = self.of(&WORDS[..9]).as_bytes();
                bytes.splice(begin..end, word.iter().copied());
            }
        }
    }
}
