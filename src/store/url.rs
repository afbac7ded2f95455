//! A place by its address: a folder, or a prefix of a bucket at any service that speaks S3, of Google Cloud
//! Storage or of Azure.
//!
//! `/srv/archive`, `file:///srv/archive`
//! `s3://bucket/prefix?endpoint=http://127.0.0.1:9000&region=hn&path_style=true&keys=NAME`
//! `gs://bucket/prefix`, `az://container/prefix`
//!
//! # Why
//! *Keys come from the environment alone* (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and what else the
//! services' own tools read; with `keys=NAME`, `NAME_ACCESS_KEY_ID` and `NAME_SECRET_ACCESS_KEY`), so that the
//! address can be shown, logged and kept in a file.

use crate::store::{Place, StoreError, place::object_path};
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, RetryConfig, aws::AmazonS3Builder, azure::MicrosoftAzureBuilder,
    gcp::GoogleCloudStorageBuilder, prefix::PrefixStore,
};
use std::{path::Path, sync::Arc, time::Duration};

/// How long a request may take, and how long it is tried again, before the storage counts as failing.
const REQUEST: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(5);
const RETRIES: usize = 3;
const RETRYING: Duration = Duration::from_secs(10);

impl Place {
    /// The place at an address; a relative folder lies in `data`. Nothing is asked of it yet.
    pub fn by_address(address: &str, data: &Path) -> Result<Place, StoreError> {
        let refused = |why: String| StoreError::NotStorage { name: address.into(), why };
        let Some((scheme, rest)) = address.split_once("://") else { return Place::local(&data.join(address)) };
        if scheme == "file" {
            return Place::local(Path::new(rest));
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let asked =
            query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let asked: Vec<(&str, &str)> = asked.collect();
        let failed = |fault: object_store::Error| refused(fault.to_string());
        let objects: Arc<dyn ObjectStore> = match scheme {
            "s3" => Arc::new(s3(bucket, &asked).map_err(refused)?.build().map_err(failed)?),
            "gs" if asked.is_empty() => {
                let builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket);
                Arc::new(builder.with_retry(retry()).with_client_options(client()).build().map_err(failed)?)
            }
            "az" if asked.is_empty() => {
                let builder = MicrosoftAzureBuilder::from_env().with_container_name(bucket);
                Arc::new(builder.with_retry(retry()).with_client_options(client()).build().map_err(failed)?)
            }
            "gs" | "az" => return Err(refused("only s3:// takes settings after a `?`".into())),
            _ => return Err(refused("an address begins with a folder, file://, s3://, gs:// or az://".into())),
        };
        let prefix = prefix.trim_matches('/');
        if prefix.is_empty() {
            return Ok(Place::over(objects, address));
        }
        Ok(Place::over(Arc::new(PrefixStore::new(objects, object_path(prefix)?)), address))
    }
}

fn s3(bucket: &str, asked: &[(&str, &str)]) -> Result<AmazonS3Builder, String> {
    let builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retry());
    // The answer to a conditional write is what everything hangs on: the service's own rule, by ETag.
    let mut builder = builder.with_client_options(client());
    for (name, value) in asked {
        builder = match *name {
            "endpoint" => builder.with_endpoint(*value).with_allow_http(value.starts_with("http://")),
            "region" => builder.with_region(*value),
            "path_style" => builder.with_virtual_hosted_style_request(*value == "false"),
            "keys" => {
                let key = |what: &str| {
                    let name = format!("{value}_{what}");
                    std::env::var(&name).map_err(|_| format!("the environment has no {name}"))
                };
                let builder = builder.with_access_key_id(key("ACCESS_KEY_ID")?);
                builder.with_secret_access_key(key("SECRET_ACCESS_KEY")?)
            }
            other => {
                return Err(format!("{other} is no setting of an address; endpoint, region, path_style, keys are"));
            }
        };
    }
    Ok(builder)
}

fn client() -> ClientOptions {
    ClientOptions::new().with_timeout(REQUEST).with_connect_timeout(CONNECT).with_allow_http(true)
}

fn retry() -> RetryConfig {
    let backoff =
        BackoffConfig { init_backoff: Duration::from_millis(50), max_backoff: Duration::from_secs(2), base: 2.0 };
    RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRYING }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b/ệ");
        for address in [path.display().to_string(), format!("file://{}", path.display()), "a b/ệ".into()] {
            assert_eq!(Place::by_address(&address, folder.path()).unwrap().folder(), Some(path.as_path()));
        }
        let s3 = "s3://kho/tỉnh?endpoint=http://127.0.0.1:1&region=hn&path_style=true";
        let place = Place::by_address(s3, folder.path()).unwrap();
        assert_eq!((place.name(), place.folder()), (s3, None));
        for wrong in ["ftp://x", "s3://kho?endpont=x", "s3://kho/../x", "gs://x?y=z", "s3://kho?keys=NOBODY_HAS_THESE"]
        {
            let refused = Place::by_address(wrong, folder.path()).unwrap_err().to_string();
            assert!(refused.contains("deploy/config.example.toml") || refused.contains("no path"), "{refused}");
        }
    }
}
