//! Families: metrics of one name, each with labels of its own.

use std::fmt::Error;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// What every metric is called before its own name.
const PREFIX: &str = "cfgctl";

/// What is written with nothing but this in it.
pub(super) fn registry(collector: impl Collector) -> Registry {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(collector));
    registry
}

/// What is written about one name.
pub(super) struct Family<'e>(MetricEncoder<'e>);

impl<'e> Family<'e> {
    /// `name` without the prefix and without `_total`; `help` says what is counted.
    pub(super) fn counter(
        encoder: &'e mut DescriptorEncoder<'_>,
        name: &'e str,
        help: &str,
    ) -> Result<Self, Error> {
        Self::new(encoder, name, help, MetricType::Counter)
    }

    /// `name` without the prefix; `help` says what is measured.
    pub(super) fn gauge(
        encoder: &'e mut DescriptorEncoder<'_>,
        name: &'e str,
        help: &str,
    ) -> Result<Self, Error> {
        Self::new(encoder, name, help, MetricType::Gauge)
    }

    /// The same of a distribution.
    pub(super) fn histogram(
        encoder: &'e mut DescriptorEncoder<'_>,
        name: &'e str,
        help: &str,
    ) -> Result<Self, Error> {
        Self::new(encoder, name, help, MetricType::Histogram)
    }

    fn new(
        encoder: &'e mut DescriptorEncoder<'_>,
        name: &'e str,
        help: &str,
        kind: MetricType,
    ) -> Result<Self, Error> {
        let metric = encoder.encode_descriptor(name, help, None, kind)?;
        Ok(Self(metric))
    }

    /// How often it happened, with these labels.
    pub(super) fn count<const N: usize>(
        &mut self,
        labels: [(&str, &str); N],
        count: u64,
    ) -> Result<(), Error> {
        ConstCounter::new(count).encode(self.0.encode_family(&labels)?)
    }

    /// What it measures, with these labels.
    pub(super) fn value<const N: usize>(
        &mut self,
        labels: [(&str, &str); N],
        value: f64,
    ) -> Result<(), Error> {
        ConstGauge::new(value).encode(self.0.encode_family(&labels)?)
    }

    /// How many were at most as large as each bound, the rest under infinity.
    pub(super) fn spread<const N: usize>(
        &mut self,
        labels: [(&str, &str); N],
        sum: f64,
        buckets: &[(f64, u64)],
    ) -> Result<(), Error> {
        let count = buckets.iter().map(|(_, count)| count).sum();
        let mut metric = self.0.encode_family(&labels)?;
        metric.encode_histogram::<[(&str, &str); 0]>(sum, count, buckets, None)
    }
}
