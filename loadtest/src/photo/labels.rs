//! Hard labels, drawn from a seed: what a phone may see of a printed code on a bad day. Ten kinds
//! of trouble, twenty labels each, the same on every machine. Knows no decoder, so that no decoder
//! can be flattered by it.

use super::draw::{Grey, Random, Warp};
use fast_qr::{ECL, QRBuilder};

/// What is wrong with a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    Clean,
    /// Turned by any angle.
    Rotated,
    /// Out of focus: Gaussian blur, σ 1.2 to 2.6 px.
    Blurred,
    /// Moved by 5 to 9 px while the picture was taken.
    Moved,
    /// Gaussian noise, σ 25 to 60 grey levels.
    Noisy,
    /// Seen from the side: two edges 25 to 45 % shorter.
    Slanted,
    /// Faint: 8 to 20 % of the full contrast.
    Faint,
    /// Light from one side, and a reflection.
    Glaring,
    /// 70 to 110 px wide.
    Small,
    /// Some of everything.
    Mixed,
}

impl Trouble {
    /// All kinds, in the order of the report.
    pub const ALL: [Trouble; 10] = [
        Trouble::Clean,
        Trouble::Rotated,
        Trouble::Blurred,
        Trouble::Moved,
        Trouble::Noisy,
        Trouble::Slanted,
        Trouble::Faint,
        Trouble::Glaring,
        Trouble::Small,
        Trouble::Mixed,
    ];

    /// Its name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Trouble::Clean => "clean",
            Trouble::Rotated => "rotated",
            Trouble::Blurred => "blurred",
            Trouble::Moved => "moved",
            Trouble::Noisy => "noisy",
            Trouble::Slanted => "slanted",
            Trouble::Faint => "faint",
            Trouble::Glaring => "glaring",
            Trouble::Small => "small",
            Trouble::Mixed => "mixed",
        }
    }
}

/// A picture of a label and what its code says.
pub struct Label {
    /// What is wrong with it.
    pub trouble: Trouble,
    /// What the code says.
    pub text: String,
    /// What the camera saw.
    pub picture: Grey,
}

/// Width of a picture.
pub const WIDTH: usize = 640;
/// Height of a picture.
pub const HEIGHT: usize = 480;

/// The whole set: `each` labels of every kind.
pub fn labels(seed: u64, each: usize) -> Vec<Label> {
    let numbered = Trouble::ALL
        .into_iter()
        .flat_map(|trouble| (0..each).map(move |n| (trouble, n)));
    numbered
        .map(|(trouble, n)| label(trouble, seed, n as u64))
        .collect()
}

/// One label.
pub fn label(trouble: Trouble, seed: u64, n: u64) -> Label {
    let mut random = Random::new(seed ^ ((trouble as u64) << 32) ^ (n << 40));
    let text = address(&mut random);
    let level = if random.one_in(2) { ECL::M } else { ECL::Q };
    let code = Code::new(&text, level);
    let angle = match trouble {
        Trouble::Rotated => random.between(0.0, std::f32::consts::TAU),
        Trouble::Mixed => random.between(-0.6, 0.6),
        _ => random.between(-0.05, 0.05),
    };
    let side = match trouble {
        Trouble::Small => random.between(70.0, 110.0),
        Trouble::Mixed => random.between(150.0, 260.0),
        _ => random.between(170.0, 300.0),
    };
    let shortened = match trouble {
        Trouble::Slanted => random.between(0.25, 0.45),
        Trouble::Mixed => random.between(0.05, 0.15),
        _ => 0.0,
    };
    let margin = side * 0.75;
    let centre = (
        random.between(margin, WIDTH as f32 - margin),
        random.between(margin, HEIGHT as f32 - margin),
    );
    let warp = Warp::new(centre, side, angle, shortened);
    let paper = random.between(215.0, 250.0);
    let ink = random.between(15.0, 50.0);
    let mut picture = clutter(&mut random, paper, ink);
    picture.stamp(&warp, |u, v| {
        code.at(u, v).map(|dark| if dark { ink } else { paper })
    });
    spoil(&mut picture, trouble, &mut random);
    Label {
        trouble,
        text,
        picture: picture.finished(),
    }
}

/// A GS1 Digital Link of about sixty characters, its GTIN with a right check digit.
fn address(random: &mut Random) -> String {
    let body = 69_012_345_000 + random.below(100_000) * 10 + random.below(10);
    let body = format!("0{body:011}0");
    let sum: u32 = body
        .bytes()
        .enumerate()
        .map(|(at, digit)| u32::from(digit - b'0') * if at % 2 == 0 { 3 } else { 1 })
        .sum();
    let check = (10 - sum % 10) % 10;
    let serial: String = (0..14)
        .map(|_| char::from(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"[random.below(32) as usize]))
        .collect();
    let lot = random.below(1_000);
    format!("https://id.example.cn/01/{body}{check}/10/L{lot:03}/21/{serial}")
}

fn spoil(picture: &mut Grey, trouble: Trouble, random: &mut Random) {
    match trouble {
        Trouble::Clean | Trouble::Rotated | Trouble::Slanted | Trouble::Small => {}
        Trouble::Blurred => picture.blur(random.between(1.2, 2.6)),
        Trouble::Moved => {
            let angle = random.between(0.0, std::f32::consts::PI);
            picture.smear(random.between(5.0, 9.0), angle);
        }
        Trouble::Noisy => {
            let sigma = random.between(25.0, 60.0);
            picture.noise(sigma, random);
        }
        Trouble::Faint => {
            let contrast = random.between(0.08, 0.20);
            let middle = random.between(70.0, 185.0);
            picture.each(|_, _, value| middle + (value - 128.0) * contrast);
        }
        Trouble::Glaring => {
            shade(picture, random, 0.25);
            glare(picture, random);
        }
        Trouble::Mixed => {
            picture.blur(random.between(0.6, 1.3));
            shade(picture, random, 0.45);
            let contrast = random.between(0.35, 0.7);
            let middle = random.between(90.0, 165.0);
            picture.each(|_, _, value| middle + (value - 128.0) * contrast);
            let sigma = random.between(5.0, 15.0);
            picture.noise(sigma, random);
        }
    }
    if trouble != Trouble::Noisy {
        picture.noise(2.0, random);
    }
}

/// Light from one side: the far side gets `rest` of it.
fn shade(picture: &mut Grey, random: &mut Random, rest: f32) {
    let angle = random.between(0.0, std::f32::consts::TAU);
    let (sin, cos) = angle.sin_cos();
    let reach = f32::midpoint(WIDTH as f32 * cos.abs(), HEIGHT as f32 * sin.abs());
    picture.each(|x, y, value| {
        let along = (x - WIDTH as f32 / 2.0) * cos + (y - HEIGHT as f32 / 2.0) * sin;
        let light = f32::midpoint(1.0, rest) + (1.0 - rest) / 2.0 * along / reach;
        value * light
    });
}

/// A round reflection somewhere in the middle of the picture.
fn glare(picture: &mut Grey, random: &mut Random) {
    let x0 = random.between(WIDTH as f32 * 0.3, WIDTH as f32 * 0.7);
    let y0 = random.between(HEIGHT as f32 * 0.3, HEIGHT as f32 * 0.7);
    let radius = random.between(30.0, 60.0);
    let strength = random.between(80.0, 160.0);
    picture.each(|x, y, value| {
        let distance = ((x - x0).powi(2) + (y - y0).powi(2)) / (radius * radius);
        value + strength * (-distance).exp()
    });
}

/// Paper with lines that look like print, and a few boxes.
fn clutter(random: &mut Random, paper: f32, ink: f32) -> Grey {
    let mut picture = Grey::new(WIDTH, HEIGHT, paper);
    let mut y = random.between(4.0, 14.0);
    while y < HEIGHT as f32 - 12.0 {
        let height = random.between(7.0, 16.0);
        let mut x = random.between(4.0, 60.0);
        let end = WIDTH as f32 - random.between(4.0, 200.0);
        while x < end {
            let width = height * random.between(0.45, 0.9);
            if !random.one_in(6) {
                glyph(&mut picture, random, (x, y), (width, height), ink);
            }
            x += width + height * 0.2;
        }
        y += height * random.between(1.25, 2.2);
    }
    for _ in 0..random.below(4) {
        let (x, y) = (random.between(0.0, 500.0), random.between(0.0, 380.0));
        let (w, h) = (random.between(40.0, 140.0), random.between(30.0, 100.0));
        for (x, y, w, h) in [
            (x, y, w, 3.0),
            (x, y + h, w, 3.0),
            (x, y, 3.0, h),
            (x + w, y, 3.0, h),
        ] {
            picture.fill(x, y, w, h, ink);
        }
    }
    picture
}

/// Some strokes in a cell: looks like a character from afar.
fn glyph(
    picture: &mut Grey,
    random: &mut Random,
    (x, y): (f32, f32),
    (width, height): (f32, f32),
    ink: f32,
) {
    let pen = (height / 7.0).max(1.0);
    for _ in 0..2 + random.below(4) {
        let at = random.between(0.0, 0.9);
        if random.one_in(2) {
            picture.fill(x, y + at * height, width, pen, ink);
        } else {
            picture.fill(x + at * width, y, pen, height, ink);
        }
    }
}

/// A sharp picture of some codes side by side, `module` pixels a module: what a printer makes.
pub fn print(texts: &[&str], module: usize) -> Grey {
    let codes: Vec<Code> = texts.iter().map(|text| Code::new(text, ECL::M)).collect();
    let quiet = QUIET as usize * module;
    let height = codes
        .iter()
        .map(|code| code.size * module)
        .max()
        .unwrap_or(0)
        + 2 * quiet;
    let width = codes
        .iter()
        .map(|code| code.size * module + quiet)
        .sum::<usize>()
        + quiet;
    let mut picture = Grey::new(width, height, 255.0);
    let mut left = quiet;
    for code in &codes {
        for at in (0..code.dark.len()).filter(|at| code.dark[*at]) {
            let (x, y) = (
                at % code.size * module + left,
                at / code.size * module + quiet,
            );
            picture.fill(x as f32, y as f32, module as f32, module as f32, 0.0);
        }
        left += code.size * module + quiet;
    }
    picture
}

/// A code's modules with its quiet zone.
struct Code {
    dark: Vec<bool>,
    size: usize,
}

/// Light modules around a code.
const QUIET: f32 = 4.0;

impl Code {
    fn new(text: &str, level: ECL) -> Code {
        let code = QRBuilder::new(text)
            .ecl(level)
            .build()
            .expect("sixty characters fit");
        let size = code.size;
        let dark = (0..size * size)
            .map(|at| code[at / size][at % size].value())
            .collect();
        Code { dark, size }
    }

    /// Is the point dark? The code itself spans 0 to 1 both ways; `None` lies outside the label.
    fn at(&self, u: f32, v: f32) -> Option<bool> {
        let (x, y) = (u * self.size as f32, v * self.size as f32);
        let most = self.size as f32 + QUIET;
        if !(-QUIET..most).contains(&x) || !(-QUIET..most).contains(&y) {
            return None;
        }
        let inside = |at: f32| (0.0..self.size as f32).contains(&at);
        Some(inside(x) && inside(y) && self.dark[y as usize * self.size + x as usize])
    }
}
