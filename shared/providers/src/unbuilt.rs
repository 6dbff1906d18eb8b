//! Stands in for an adapter that is not merged yet. Goes with the last of them.

use async_trait::async_trait;
use mooring_domain::{
    Failure, Platform, Time,
    connection::Observation,
    grant::Renewed,
    post::{Finding, Seen, Sent},
};

use crate::{
    connect::{Connected, Credentials, Destination},
    provider::{Access, Draft, Lost, NewTokens, Provider},
};

pub(crate) struct Unbuilt(pub(crate) Platform);

fn unbuilt<T>() -> Result<T, Failure> {
    Err(Failure::Contract {
        detail: "no adapter yet".to_owned(),
    })
}

#[async_trait]
impl Provider for Unbuilt {
    fn platform(&self) -> Platform {
        self.0
    }
    fn reference(&self, _: Time, _: u64) -> Option<String> {
        None
    }
    async fn check(&self, _: &Access, _: bool) -> Result<Observation, Failure> {
        unbuilt()
    }
    async fn refresh(&self, _: &Access) -> Result<(Renewed, NewTokens), Failure> {
        unbuilt()
    }
    async fn publish(&self, _: &Access, _: &Draft) -> Result<Sent, Failure> {
        unbuilt()
    }
    async fn find(&self, _: &Access, _: &Lost) -> Result<Finding, Failure> {
        unbuilt()
    }
    async fn read_back(&self, _: &Access, _: &str) -> Result<Seen, Failure> {
        unbuilt()
    }
    async fn delete(&self, _: &Access, _: &str) -> Result<(), Failure> {
        unbuilt()
    }
    async fn revoke(&self, _: &Access) -> Result<(), Failure> {
        unbuilt()
    }
    async fn connect(&self, _: Credentials) -> Result<Connected, Failure> {
        unbuilt()
    }
    async fn destinations(&self, _: &Access) -> Result<Vec<Destination>, Failure> {
        unbuilt()
    }
}
