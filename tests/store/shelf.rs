//! What the S3 server of the tests does with its folder: s3s-fs, but for listing.
//!
//! # Why
//! s3s-fs walks the whole bucket for every page of every listing, whatever the prefix is, so that a start of an
//! archive, which lists a hundred folders, took minutes. Services have an index of names; here a walk in the order
//! of names looks only where the answer can be.

use async_trait::async_trait;
use s3s::{S3, S3Request, S3Response, S3Result, dto::*, s3_error};
use s3s_fs::FileSystem;
use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Keys on a page, where the client does not say.
const PAGE: usize = 1000;

pub struct Shelf {
    files: FileSystem,
    folder: PathBuf,
}

impl Shelf {
    pub fn of(folder: PathBuf) -> Shelf {
        Shelf { files: FileSystem::new(&folder).unwrap(), folder }
    }
}

macro_rules! as_it_is {
    ($($name:ident $input:ident $output:ident)*) => {
        #[async_trait]
        impl S3 for Shelf {
            $(async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                self.files.$name(request).await
            })*

            async fn list_objects_v2(
                &self,
                request: S3Request<ListObjectsV2Input>,
            ) -> S3Result<S3Response<ListObjectsV2Output>> {
                let (input, bucket) = (request.input, self.folder.clone());
                let page = tokio::task::spawn_blocking(move || page(&bucket, input)).await;
                page.map_err(|_| s3_error!(InternalError))?.map(S3Response::new)
            }
        }
    };
}

as_it_is! {
    get_object GetObjectInput GetObjectOutput
    put_object PutObjectInput PutObjectOutput
    head_object HeadObjectInput HeadObjectOutput
    copy_object CopyObjectInput CopyObjectOutput
    delete_object DeleteObjectInput DeleteObjectOutput
    delete_objects DeleteObjectsInput DeleteObjectsOutput
    create_multipart_upload CreateMultipartUploadInput CreateMultipartUploadOutput
    upload_part UploadPartInput UploadPartOutput
    complete_multipart_upload CompleteMultipartUploadInput CompleteMultipartUploadOutput
    abort_multipart_upload AbortMultipartUploadInput AbortMultipartUploadOutput
}

/// A walk for one page: keys after a mark that begin with a prefix, in order, so many.
struct Walk {
    prefix: String,
    after: String,
    delimited: bool,
    keys_max: usize,
    objects: Vec<Object>,
    folders: Vec<String>,
    last: String,
    more: bool,
}

fn page(folder: &Path, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let bucket = folder.join(&input.bucket);
    if !bucket.is_dir() {
        return Err(s3_error!(NoSuchBucket));
    }
    if input.delimiter.as_deref().is_some_and(|delimiter| delimiter != "/") {
        return Err(s3_error!(NotImplemented));
    }
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let mut walk = Walk {
        prefix: text(&input.prefix),
        after: text(&input.continuation_token).max(text(&input.start_after)),
        delimited: input.delimiter.is_some(),
        keys_max: input.max_keys.map_or(PAGE, |keys| usize::try_from(keys).unwrap_or(0)).min(PAGE),
        objects: Vec::new(),
        folders: Vec::new(),
        last: String::new(),
        more: false,
    };
    // No key without this folder begins with the prefix.
    let above = walk.prefix.rfind('/').map_or("", |end| &walk.prefix[..=end]).to_owned();
    walk.below(&bucket.join(&above), &above);
    let folders: Vec<_> = walk.folders.into_iter().map(|prefix| CommonPrefix { prefix: Some(prefix) }).collect();
    Ok(ListObjectsV2Output {
        key_count: i32::try_from(walk.objects.len() + folders.len()).ok(),
        max_keys: input.max_keys.or(i32::try_from(PAGE).ok()),
        is_truncated: Some(walk.more),
        next_continuation_token: walk.more.then_some(walk.last),
        contents: Some(walk.objects),
        common_prefixes: Some(folders),
        continuation_token: input.continuation_token,
        delimiter: input.delimiter,
        encoding_type: input.encoding_type,
        name: Some(input.bucket),
        prefix: input.prefix,
        start_after: input.start_after,
        ..ListObjectsV2Output::default()
    })
}

impl Walk {
    /// Everything in a folder whose key begins with `above`; a folder's own key ends in `/`, and so it is sorted.
    fn below(&mut self, folder: &Path, above: &str) {
        // A folder that is gone meanwhile holds nothing.
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut names: Vec<(String, bool)> = entries
            .filter_map(|entry| {
                let is_folder = entry.file_type().ok()?.is_dir();
                Some((entry.file_name().into_string().ok()? + if is_folder { "/" } else { "" }, is_folder))
            })
            .collect();
        names.sort_unstable();
        for (name, is_folder) in names {
            if self.more {
                return;
            }
            let key = format!("{above}{name}");
            if !(key.starts_with(&self.prefix) || is_folder && self.prefix.starts_with(&key)) {
                continue;
            }
            // Every key in a folder that sorts before the mark does so too, but for those that begin with the mark.
            if key.as_str() <= self.after.as_str() && !(is_folder && self.after.starts_with(&key)) {
                continue;
            }
            match is_folder {
                true if self.delimited && key.len() > self.prefix.len() => self.folder(&folder.join(&name), key),
                true => self.below(&folder.join(&name), &key),
                false => self.object(&folder.join(&name), key),
            }
        }
    }

    fn folder(&mut self, path: &Path, key: String) {
        if key.as_str() > self.after.as_str() && holds_something(path) && self.has_room() {
            self.last.clone_from(&key);
            self.folders.push(key);
        }
    }

    fn object(&mut self, path: &Path, key: String) {
        // One that is gone meanwhile is not there.
        let Ok(meta) = fs::metadata(path) else { return };
        if self.has_room() {
            let modified = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            self.last.clone_from(&key);
            self.objects.push(Object {
                key: Some(key),
                size: i64::try_from(meta.len()).ok(),
                last_modified: Some(Timestamp::from(modified)),
                ..Object::default()
            });
        }
    }

    fn has_room(&mut self) -> bool {
        self.more = self.objects.len() + self.folders.len() >= self.keys_max;
        !self.more
    }
}

/// A service has no folders: one without an object is none.
fn holds_something(folder: &Path) -> bool {
    let mut entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.any(|entry| !entry.file_type().is_ok_and(|kind| kind.is_dir()) || holds_something(&entry.path()))
}
