//! Servers that locald provides: found on this machine, given data of their own, run, and asked in
//! their own protocol whether they are ready.

mod claim;
mod fetch;
mod find;
mod leftover;
mod place;
mod postgres;
mod record;
mod redis;
mod step;

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use nix::sys::signal::Signal;

pub use self::place::password;
use self::{
    find::{Found, Search},
    place::Place,
    postgres::Postgres,
    record::Record,
    redis::Redis,
};
use crate::{
    core::{
        id::{ProjectName, ServiceName},
        provision::{Access, Product, Provision, Version},
    },
    os::logs::Sink,
};

/// What is to be prepared, and where.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// What is asked for.
    pub provision: &'a Provision,
    /// Whose it is.
    pub project: &'a ProjectName,
    /// The service.
    pub service: &'a ServiceName,
    /// The folder of the project.
    pub dir: &'a Path,
    /// The folder of what locald provides.
    pub data_dir: &'a Path,
    /// This program.
    pub exe: &'a Path,
    /// Where programs are looked for: the environment of whoever asked.
    pub env: &'a BTreeMap<String, String>,
    /// Where the output goes.
    pub sink: &'a Sink,
    /// Whether what is there is to be thrown away first.
    pub wipe: bool,
    /// Takes a word on what is going on.
    pub tell: &'a (dyn Fn(&str) + Sync),
}

impl Request<'_> {
    /// A variable of whoever asked, or else our own; none if it is empty.
    fn variable(&self, name: &str) -> Option<String> {
        let own = || env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        self.env.get(name).cloned().or_else(own).filter(|value| !value.is_empty())
    }
}

/// A server that can be run.
#[derive(Clone, Debug)]
pub struct Prepared {
    provision: Provision,
    found: Found,
    place: Place,
    exe: PathBuf,
    /// What it calls itself.
    name: String,
}

/// A kind of server: what differs from one to the next.
trait Server {
    /// Where its programs are looked for.
    fn search(&self) -> Search;

    /// The version whose data that is, if it is data.
    fn made_by(&self, data: &Path) -> Option<Version>;

    /// Whether a server of one version can go on with the data of another one.
    fn reads(&self, data: &Version, server: &Version) -> bool;

    /// Makes an empty server in a new, empty folder.
    fn create(&self, job: &Job<'_>, at: &Path) -> impl Future<Output = Result<(), String>> + Send;

    /// Has in it what is asked for and is not there by the record, and keeps that.
    fn furnish(
        &self,
        job: &Job<'_>,
        at: &Path,
        record: &mut Record,
    ) -> impl Future<Output = Result<(), String>> + Send;

    /// How to run it.
    fn argv(&self, server: &Prepared, port: u16) -> Vec<OsString>;
}

/// Why a server is not ready.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unready {
    /// It is there, and says that it is busy with something.
    #[error("{0}")]
    Busy(String),
    /// It does not answer.
    #[error("cannot connect: {0}")]
    Silent(io::ErrorKind),
    /// It is something else.
    #[error("what listens there does not speak {0}")]
    Foreign(&'static str),
}

/// A server in the making.
struct Job<'a> {
    request: Request<'a>,
    found: &'a Found,
    place: &'a Place,
    password: &'a str,
}

/// Gets a server ready to be run: its programs, its folder, what is to be in it. What is interrupted
/// here, or killed, is as if it had not begun. The error is for people.
pub async fn prepare(request: Request<'_>) -> Result<Prepared, String> {
    match request.provision.product {
        Product::Postgres => prepare_as(&Postgres, request).await,
        Product::Redis => prepare_as(&Redis, request).await,
    }
}

/// Whether the server on that port says that it is ready; the error says why not.
pub async fn answers(product: Product, access: Access<'_>) -> Result<(), Unready> {
    match product {
        Product::Postgres => postgres::answers(access.port).await,
        Product::Redis => redis::answers(access).await,
    }
}

/// The folders with programs by which such a server would be run, by the variables of an environment
/// and what was fetched into `data_dir`.
pub fn installed(
    product: Product,
    data_dir: &Path,
    variable: impl Fn(&str) -> Option<String>,
) -> Vec<PathBuf> {
    let search = match product {
        Product::Postgres => Postgres.search(),
        Product::Redis => Redis.search(),
    };
    let shelves = place::shelves(data_dir, product);
    let servers = find::programs(&search, find::folders(&search, variable, &shelves));
    let folders = servers.iter().filter_map(|server| server.parent());
    folders.map(Path::to_owned).collect()
}

impl From<io::Error> for Unready {
    fn from(error: io::Error) -> Self {
        Self::Silent(error.kind())
    }
}

impl Prepared {
    /// What to run.
    pub fn argv(&self, port: u16) -> Vec<OsString> {
        let argv = match self.provision.product {
            Product::Postgres => Postgres.argv(self, port),
            Product::Redis => Redis.argv(self, port),
        };
        self.place.run_by_owner(&self.exe, argv)
    }

    /// Where to run it.
    pub fn dir(&self) -> PathBuf {
        self.place.data()
    }

    /// What it is and where, for people.
    pub fn about(&self) -> String {
        let (title, data) = (self.provision.product.title(), self.place.data());
        let Found { server, version } = &self.found;
        let owner = self.place.owner().map_or_else(String::new, |it| format!(", as user {it}"));
        format!("{title} {version} ({}) on {}{owner}", server.display(), data.display())
    }
}

async fn prepare_as(server: &impl Server, request: Request<'_>) -> Result<Prepared, String> {
    let place = Place::open(&request)?;
    claim::claim(place.home(), &request)?;
    let password = password(request.data_dir, request.project, request.service, place.product)?;
    leftover::end(&place, Signal::SIGINT, request.tell).await?;
    if request.wipe {
        place.wipe()?;
    }
    let data = place.data();
    let made_by = server.made_by(&data);
    let found = choose(server, &request, &place, made_by.as_ref()).await?;
    let job = Job { request, found: &found, place: &place, password: &password };
    place.refresh()?;
    if made_by.is_some() {
        let mut record = Record::read(&data)?;
        server.furnish(&job, &data, &mut record).await?;
    } else {
        let fresh = place.begin()?;
        let mut record = Record::default();
        server.create(&job, &fresh).await?;
        server.furnish(&job, &fresh, &mut record).await?;
        place.finish(&fresh)?;
    }
    let (provision, exe) = (request.provision.clone(), request.exe.to_owned());
    let name = format!("{}/{}", request.project, request.service);
    Ok(Prepared { provision, found, place, exe, name })
}

/// The server to run: the newest that is wanted and can go on with the data; fetched if there is none.
async fn choose(
    server: &impl Server,
    request: &Request<'_>,
    place: &Place,
    made_by: Option<&Version>,
) -> Result<Found, String> {
    let product = request.provision.product;
    let wanted = request.provision.version.as_ref();
    let title = product.title();
    let name = request.service;
    let reset = format!("`locald service reset {name}` starts afresh, without the data");
    if let (Some(made_by), Some(asked)) = (made_by, wanted)
        && !server.reads(made_by, asked)
    {
        let major = made_by.major();
        return Err(format!(
            "its data is of {title} {major}, and `version = \"{asked}\"` asks for another one: \
             `version = \"{major}\"` goes on with it (pg_dumpall takes it along); {reset}"
        ));
    }
    let fits = |version: &Version| {
        wanted.is_none_or(|asked| version.satisfies(asked))
            && made_by.is_none_or(|made_by| server.reads(made_by, version))
    };
    let search = server.search();
    let found = match find::newest(find::all(&search, request, place).await, fits) {
        Ok(found) => return Ok(found),
        Err(found) => found,
    };
    let fetched = if search.is_fetched && !find::is_told(&search, request) {
        fetch::fetch(&search, request, place, fits).await.map_err(Some)
    } else {
        Err(None)
    };
    fetched.map_err(|why| {
        let major = made_by.and_then(|version| Version::parse(&version.major().to_string()));
        let asked = wanted.or(major.as_ref());
        let none = find::none(product, &search, asked, &found, why.as_deref());
        match major {
            Some(major) => format!("its data is of {title} {major}: {none}; {reset}"),
            None => none,
        }
    })
}
