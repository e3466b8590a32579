//! A picture in grey levels, and the few ways to make a code in it easier to find. Pure; every
//! step costs a fixed number of operations a pixel.

/// Grey levels row by row: 0 is black, 255 white.
#[derive(Debug, Clone)]
pub struct Grey {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height` levels.
    pub levels: Vec<u8>,
}

impl Grey {
    fn with(&self, levels: Vec<u8>) -> Grey {
        Grey {
            width: self.width,
            height: self.height,
            levels,
        }
    }

    /// How many pixels.
    pub fn pixels(&self) -> usize {
        self.levels.len()
    }

    /// The darkest and the lightest hundredth become black and white, the rest is spread between.
    #[must_use]
    pub fn stretched(&self) -> Grey {
        let mut counts = [0usize; 256];
        for level in &self.levels {
            counts[usize::from(*level)] += 1;
        }
        let cut = self.pixels() / 100;
        let (dark, light) = (
            past(0..256, &counts, cut),
            past((0..256).rev(), &counts, cut),
        );
        if light <= dark {
            return self.clone();
        }
        let spread: [u8; 256] = std::array::from_fn(|level| {
            let above = level.clamp(dark, light) - dark;
            (above * 255 / (light - dark)) as u8
        });
        let levels = self.levels.iter().map(|level| spread[usize::from(*level)]);
        self.with(levels.collect())
    }

    /// Every `by` × `by` pixels become one, their mean: a smaller picture with less noise.
    #[must_use]
    pub fn shrunk(&self, by: usize) -> Grey {
        let (width, height) = (self.width / by, self.height / by);
        let mut levels = Vec::with_capacity(width * height);
        let mut sums = vec![0u32; width];
        for rows in self.levels.chunks_exact(self.width * by).take(height) {
            sums.fill(0);
            for row in rows.chunks_exact(self.width) {
                for (sum, block) in sums.iter_mut().zip(row.chunks_exact(by)) {
                    *sum += block.iter().map(|level| u32::from(*level)).sum::<u32>();
                }
            }
            let pixels = (by * by) as u32;
            levels.extend(sums.iter().map(|sum| (sum / pixels) as u8));
        }
        Grey {
            width,
            height,
            levels,
        }
    }

    /// Smoothed with the binomial weights 1 4 6 4 1 both ways, about a Gaussian of σ 1.
    #[must_use]
    pub fn smoothed(&self) -> Grey {
        self.convolved(&[16, 64, 96, 64, 16])
    }

    /// Edges brought out: twice the difference to a Gaussian of σ 2 is added.
    #[must_use]
    pub fn sharpened(&self) -> Grey {
        let blurred = self.convolved(&[2, 7, 17, 31, 45, 52, 45, 31, 17, 7, 2]);
        let pairs = self.levels.iter().zip(&blurred.levels);
        let levels = pairs.map(|(level, blurred)| {
            let (level, blurred) = (i32::from(*level), i32::from(*blurred));
            (level + 2 * (level - blurred)).clamp(0, 255) as u8
        });
        self.with(levels.collect())
    }

    /// Black where a pixel is 5 % darker than the mean of the `side` × `side` pixels around it,
    /// white elsewhere: uneven light does not matter then.
    #[must_use]
    pub fn thresholded(&self, side: usize) -> Grey {
        let means = self.local_sums(side / 2);
        let levels = self.levels.iter().zip(means).map(|(level, (sum, pixels))| {
            let dark = u64::from(*level) * u64::from(pixels) * 100 < u64::from(sum) * 95;
            if dark { 0 } else { 255 }
        });
        self.with(levels.collect())
    }

    /// Twice as wide and high, with levels between those that were there.
    #[must_use]
    pub fn doubled(&self) -> Grey {
        let mut levels = Vec::with_capacity(self.pixels() * 4);
        for y in 0..self.height * 2 {
            let (near, far) = nearest(y, self.height);
            let row = |y: usize| &self.levels[y * self.width..(y + 1) * self.width];
            let (near, far) = (row(near), row(far));
            // Three parts of the nearer row, one of the other; the same across.
            let between = |x: usize| u32::from(near[x]) * 3 + u32::from(far[x]);
            levels.extend((0..self.width * 2).map(|x| {
                let (near, far) = nearest(x, self.width);
                ((between(near) * 3 + between(far) + 8) / 16) as u8
            }));
        }
        Grey {
            width: self.width * 2,
            height: self.height * 2,
            levels,
        }
    }

    /// Weighted means, first across, then down; the edge goes on outside. Weights add up to 256.
    fn convolved(&self, weights: &[u32]) -> Grey {
        let (width, reach) = (self.width, weights.len() / 2);
        let mut sums = vec![0u32; width];
        let mut padded = vec![0u8; width + 2 * reach];
        let mut across = Vec::with_capacity(self.pixels());
        for row in self.levels.chunks_exact(width) {
            padded[..reach].fill(row[0]);
            padded[reach..reach + width].copy_from_slice(row);
            padded[reach + width..].fill(row[width - 1]);
            let shifted = (0..weights.len()).map(|by| &padded[by..by + width]);
            weigh(shifted.zip(weights), &mut sums);
            across.extend(sums.iter().map(|sum| (sum >> 8) as u8));
        }
        let mut levels = Vec::with_capacity(self.pixels());
        for y in 0..self.height {
            let rows = (y..y + weights.len()).map(|y| {
                let y = y.saturating_sub(reach).min(self.height - 1);
                &across[y * width..(y + 1) * width]
            });
            weigh(rows.zip(weights), &mut sums);
            levels.extend(sums.iter().map(|sum| (sum >> 8) as u8));
        }
        self.with(levels)
    }

    /// For every pixel the sum of those at most `reach` away, and how many they are.
    fn local_sums(&self, reach: usize) -> Vec<(u32, u32)> {
        let (width, height) = (self.width, self.height);
        let row = |y: usize| self.levels[y * width..].iter().take(width);
        let mut out = Vec::with_capacity(self.pixels());
        // Sums down the rows in reach, kept up to date from row to row, and their running total.
        let mut columns = vec![0u32; width];
        let mut total = vec![0u32; width + 1];
        for y in 0..height + reach {
            if y < height {
                for (sum, level) in columns.iter_mut().zip(row(y)) {
                    *sum += u32::from(*level);
                }
            }
            let Some(middle) = y.checked_sub(reach) else {
                continue;
            };
            for x in 0..width {
                total[x + 1] = total[x] + columns[x];
            }
            let first = middle.saturating_sub(reach);
            let rows = (y + 1).min(height) - first;
            out.extend((0..width).map(|x| {
                let (from, to) = (x.saturating_sub(reach), (x + reach + 1).min(width));
                (total[to] - total[from], (rows * (to - from)) as u32)
            }));
            if middle >= reach {
                for (sum, level) in columns.iter_mut().zip(row(first)) {
                    *sum -= u32::from(*level);
                }
            }
        }
        out
    }
}

/// The nearest and the second nearest of `many` pixels to a pixel of the doubled picture.
fn nearest(at: usize, many: usize) -> (usize, usize) {
    let nearest = at / 2;
    let second = if at.is_multiple_of(2) {
        nearest.saturating_sub(1)
    } else {
        (nearest + 1).min(many - 1)
    };
    (nearest, second)
}

/// Adds rows up, each with its weight; begins with half of 256, for rounding.
fn weigh<'a>(rows: impl Iterator<Item = (&'a [u8], &'a u32)>, sums: &mut [u32]) {
    sums.fill(128);
    for (row, weight) in rows {
        for (sum, level) in sums.iter_mut().zip(row) {
            *sum += u32::from(*level) * weight;
        }
    }
}

/// The first of these levels up to which more than `cut` pixels lie.
fn past(mut levels: impl Iterator<Item = usize>, counts: &[usize; 256], cut: usize) -> usize {
    let mut seen = 0;
    let past = levels.find(|level| {
        seen += counts[*level];
        seen > cut
    });
    past.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: usize, levels: &[u8]) -> Grey {
        Grey {
            width,
            height: levels.len() / width,
            levels: levels.to_vec(),
        }
    }

    #[test]
    fn a_faint_picture_gets_its_full_contrast() {
        let faint: Vec<u8> = (0..1000).map(|n| 100 + (n % 21) as u8).collect();
        let stretched = grey(10, &faint).stretched();
        assert_eq!(stretched.levels.iter().min(), Some(&0));
        assert_eq!(stretched.levels.iter().max(), Some(&255));
        let flat = grey(2, &[7, 7, 7, 7]);
        assert_eq!(flat.stretched().levels, flat.levels, "nothing to stretch");
    }

    #[test]
    fn sizes_change_as_named() {
        let grey = grey(5, &[10; 35]);
        let small = grey.shrunk(2);
        assert_eq!((small.width, small.height), (2, 3));
        assert_eq!(small.levels, [10; 6]);
        let large = grey.doubled();
        assert_eq!((large.width, large.height), (10, 14));
        assert_eq!(large.levels, [10; 140]);
        assert!(grey.shrunk(6).levels.is_empty());
    }

    #[test]
    fn a_flat_picture_stays_flat() {
        let grey = grey(7, &[99; 63]);
        assert_eq!(grey.smoothed().levels, [99; 63]);
        assert_eq!(grey.sharpened().levels, [99; 63]);
        assert_eq!(grey.thresholded(5).levels, [255; 63]);
    }

    #[test]
    fn a_threshold_follows_the_light() {
        // A dark mark in the light half and one in the dark half; the light falls off to the left.
        let mut levels: Vec<u8> = (0..64).map(|x| 40 + x * 3).collect();
        levels[10] -= 15;
        levels[50] -= 40;
        let black: Vec<usize> = grey(64, &levels)
            .thresholded(9)
            .levels
            .iter()
            .enumerate()
            .filter_map(|(at, level)| (*level == 0).then_some(at))
            .collect();
        assert!(black.contains(&10) && black.contains(&50), "{black:?}");
        assert!(!black.contains(&30), "{black:?}");
    }

    #[test]
    fn one_pixel_is_enough_for_every_step() {
        let dot = grey(1, &[5]);
        for changed in [
            dot.stretched(),
            dot.smoothed(),
            dot.sharpened(),
            dot.thresholded(61),
        ] {
            assert_eq!(changed.pixels(), 1);
        }
        assert_eq!(dot.doubled().levels, [5; 4]);
    }
}
