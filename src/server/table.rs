//! The table of routes: what a router answers, and what is said of that.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{self, MethodRouter};

use super::shared::Shared;

/// Routes, and by which methods each is asked.
#[derive(Debug, Default)]
pub(super) struct Table {
    router: Router<Shared>,
    rows: Vec<(Method, &'static str)>,
    last: Option<(&'static str, MethodRouter<Shared>)>,
}

/// The methods of one path.
#[derive(Debug)]
pub(super) struct Methods {
    router: MethodRouter<Shared>,
    known: Vec<Method>,
}

/// A method, as the description of the API writes it.
pub(super) type Method = &'static str;

impl Table {
    pub(super) fn route(mut self, path: &'static str, methods: Methods) -> Self {
        let rows = methods.known.into_iter().map(|method| (method, path));
        self.rows.extend(rows);
        self.last = Some((path, methods.router.clone()));
        Self {
            router: self.router.route(path, methods.router),
            ..self
        }
    }

    /// The same where clients may write a slash at the end of the last path, too.
    pub(super) fn or_with_slash(self) -> Self {
        let Some((path, methods)) = self.last.clone() else {
            return self;
        };
        Self {
            router: self.router.route(&format!("{path}/"), methods),
            ..self
        }
    }

    /// These too.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.rows.extend(other.rows);
        Self {
            router: self.router.merge(other.router),
            ..self
        }
    }

    pub(super) fn into_router(self) -> Router<Shared> {
        self.router
    }

    /// Every method of every path.
    pub(super) fn rows(&self) -> &[(Method, &'static str)] {
        &self.rows
    }
}

macro_rules! methods {
    ($($name:ident)*) => {$(
        pub(super) fn $name<H: Handler<T, Shared>, T: 'static>(handler: H) -> Methods {
            Methods {
                router: routing::$name(handler),
                known: vec![stringify!($name)],
            }
        }

    )*};
}

methods! { delete get post }

impl Methods {
    pub(super) fn put<H: Handler<T, Shared>, T: 'static>(mut self, handler: H) -> Self {
        self.known.push("put");
        Self {
            router: self.router.put(handler),
            ..self
        }
    }

    pub(super) fn post<H: Handler<T, Shared>, T: 'static>(mut self, handler: H) -> Self {
        self.known.push("post");
        Self {
            router: self.router.post(handler),
            ..self
        }
    }
}
