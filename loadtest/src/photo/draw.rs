//! Drawing and spoiling grey pictures, with a random source that a seed decides. Nothing here
//! knows what the picture shows.

use image::ImageEncoder;

/// A picture in grey levels, 0 to 255, while it is drawn.
pub struct Grey {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    values: Vec<f32>,
}

impl Grey {
    /// All of one grey.
    pub fn new(width: usize, height: usize, value: f32) -> Grey {
        Grey {
            width,
            height,
            values: vec![value; width * height],
        }
    }

    /// Levels as a camera gives them.
    pub fn levels(&self) -> Vec<u8> {
        self.values
            .iter()
            .map(|value| value.round() as u8)
            .collect()
    }

    /// As a PNG file.
    pub fn png(&self) -> Result<Vec<u8>, image::ImageError> {
        let mut file = std::io::Cursor::new(Vec::new());
        image::codecs::png::PngEncoder::new(&mut file).write_image(
            &self.levels(),
            self.width as u32,
            self.height as u32,
            image::ExtendedColorType::L8,
        )?;
        Ok(file.into_inner())
    }

    /// Rounded to what a camera gives, so that every later step starts from the same.
    #[must_use]
    pub fn finished(mut self) -> Grey {
        self.each(|_, _, value| value.round().clamp(0.0, 255.0));
        self
    }

    /// Changes every pixel.
    pub fn each(&mut self, change: impl Fn(f32, f32, f32) -> f32) {
        for (at, value) in self.values.iter_mut().enumerate() {
            let (x, y) = (at % self.width, at / self.width);
            *value = change(x as f32, y as f32, *value).clamp(0.0, 255.0);
        }
    }

    /// Fills a rectangle; what lies outside the picture is left out.
    pub fn fill(&mut self, x: f32, y: f32, width: f32, height: f32, value: f32) {
        let end = |at: f32, most: usize| (at.max(0.0) as usize).min(most);
        for row in end(y, self.height)..end(y + height, self.height) {
            let (from, to) = (end(x, self.width), end(x + width, self.width));
            self.values[row * self.width + from..row * self.width + to].fill(value);
        }
    }

    /// Draws through `warp`, with nine samples a pixel, so that edges are as soft as a lens makes
    /// them.
    pub fn stamp(&mut self, warp: &Warp, at: impl Fn(f32, f32) -> Option<f32>) {
        const SAMPLES: usize = 3;
        for y in 0..self.height {
            for x in 0..self.width {
                if !warp.is_near(x as f32, y as f32) {
                    continue;
                }
                let old = self.values[y * self.width + x];
                let mut sum = 0.0;
                for sample in 0..SAMPLES * SAMPLES {
                    let offset = |n: usize| (n as f32 + 0.5) / SAMPLES as f32;
                    let (u, v) = warp.back(
                        x as f32 + offset(sample % SAMPLES),
                        y as f32 + offset(sample / SAMPLES),
                    );
                    sum += at(u, v).unwrap_or(old);
                }
                self.values[y * self.width + x] = sum / (SAMPLES * SAMPLES) as f32;
            }
        }
    }

    /// Gaussian blur.
    pub fn blur(&mut self, sigma: f32) {
        let reach = (sigma * 3.0).ceil() as isize;
        let weights: Vec<f32> = (-reach..=reach)
            .map(|d| (-(d as f32).powi(2) / (2.0 * sigma * sigma)).exp())
            .collect();
        let across: Vec<_> = (-reach..=reach).map(|d| (d as f32, 0.0)).collect();
        let down: Vec<_> = (-reach..=reach).map(|d| (0.0, d as f32)).collect();
        self.average(&across, &weights);
        self.average(&down, &weights);
    }

    /// The camera moved by `length` pixels in the direction `angle`.
    pub fn smear(&mut self, length: f32, angle: f32) {
        let steps = (length * 2.0).ceil() as usize;
        let (sin, cos) = angle.sin_cos();
        let path: Vec<_> = (0..=steps)
            .map(|n| (n as f32 / steps as f32 - 0.5) * length)
            .map(|along| (along * cos, along * sin))
            .collect();
        self.average(&path, &vec![1.0; path.len()]);
    }

    /// Gaussian noise.
    pub fn noise(&mut self, sigma: f32, random: &mut Random) {
        for value in &mut self.values {
            *value = (*value + sigma * random.normal()).clamp(0.0, 255.0);
        }
    }

    fn average(&mut self, offsets: &[(f32, f32)], weights: &[f32]) {
        let whole: f32 = weights.iter().sum();
        let averaged = (0..self.values.len()).map(|at| {
            let (x, y) = ((at % self.width) as f32, (at / self.width) as f32);
            let sum: f32 = offsets
                .iter()
                .zip(weights)
                .map(|((dx, dy), weight)| weight * self.between(x + dx, y + dy))
                .sum();
            sum / whole
        });
        self.values = averaged.collect();
    }

    /// The grey between pixels; the edge goes on outside.
    fn between(&self, x: f32, y: f32) -> f32 {
        let x = x.clamp(0.0, self.width as f32 - 1.0);
        let y = y.clamp(0.0, self.height as f32 - 1.0);
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = (
            (left + 1).min(self.width - 1),
            (top + 1).min(self.height - 1),
        );
        let (fx, fy) = (x - left as f32, y - top as f32);
        let row = |y: usize| {
            let row = &self.values[y * self.width..];
            row[left] * (1.0 - fx) + row[right] * fx
        };
        row(top) * (1.0 - fy) + row(bottom) * fy
    }
}

/// Where a flat square lies in a picture: a projective map of the unit square.
pub struct Warp {
    back: [f32; 9],
}

impl Warp {
    /// A square of `side` pixels around `centre`, turned by `angle`, its far edge `shortened` by
    /// that part.
    pub fn new(centre: (f32, f32), side: f32, angle: f32, shortened: f32) -> Warp {
        // u, v from 0 to 1 → the upright, slanted square around the origin. The divisor grows
        // towards v = 0, so that edge is seen shorter.
        let far = 1.0 / (1.0 - shortened);
        let slant = [
            side,
            0.0,
            -side / 2.0,
            0.0,
            side,
            -side / 2.0,
            0.0,
            1.0 - far,
            far,
        ];
        let (sin, cos) = angle.sin_cos();
        let turn = [cos, -sin, centre.0, sin, cos, centre.1, 0.0, 0.0, 1.0];
        Warp {
            back: inverse(&product(&turn, &slant)),
        }
    }

    /// Could the point lie on a label around the square?
    fn is_near(&self, x: f32, y: f32) -> bool {
        let (u, v) = self.back(x, y);
        (-0.4..1.4).contains(&u) && (-0.4..1.4).contains(&v)
    }

    /// From a point of the picture to one of the square.
    fn back(&self, x: f32, y: f32) -> (f32, f32) {
        let row = |n: usize| self.back[n] * x + self.back[n + 1] * y + self.back[n + 2];
        let divisor = row(6);
        (row(0) / divisor, row(3) / divisor)
    }
}

fn product(a: &[f32; 9], b: &[f32; 9]) -> [f32; 9] {
    std::array::from_fn(|at| {
        let (row, column) = (at / 3, at % 3);
        (0..3).map(|n| a[row * 3 + n] * b[n * 3 + column]).sum()
    })
}

/// Up to a factor, which a projective map does not feel.
fn inverse(m: &[f32; 9]) -> [f32; 9] {
    let minor = |a: usize, b: usize, c: usize, d: usize| m[a] * m[d] - m[b] * m[c];
    [
        minor(4, 5, 7, 8),
        minor(2, 1, 8, 7),
        minor(1, 2, 4, 5),
        minor(5, 3, 8, 6),
        minor(0, 2, 6, 8),
        minor(2, 0, 5, 3),
        minor(3, 4, 6, 7),
        minor(1, 0, 7, 6),
        minor(0, 1, 3, 4),
    ]
}

/// Random numbers a seed decides (SplitMix64).
pub struct Random(u64);

impl Random {
    /// The same seed gives the same sequence.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// True once in so many.
    pub fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    /// In a range.
    pub fn between(&mut self, from: f32, to: f32) -> f32 {
        from + (to - from) * self.unit()
    }

    /// Normally distributed, σ 1 (Box and Muller).
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * self.unit().max(1e-7).ln()).sqrt();
        radius * (std::f32::consts::TAU * self.unit()).cos()
    }

    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }
}
