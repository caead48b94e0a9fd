//! `s3s-fs` with what it leaves out and these tests need: a directory is no object, conditions of
//! a read are heeded, so are ends longer than the object, a write is one step and makes no bucket,
//! and what an object is to be like is noted.

use std::path::Path;
use std::sync::{Arc, Mutex};

use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;

/// An operation, and the class, encryption and key that it asks for.
pub type Noted = (&'static str, Option<String>, Option<String>, Option<String>);

pub(super) struct Files {
    root: std::path::PathBuf,
    files: FileSystem,
    /// `s3s-fs` compares and writes in two steps.
    turn: tokio::sync::Mutex<()>,
    pub(super) noted: Arc<Mutex<Vec<Noted>>>,
}

impl Files {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            files: FileSystem::new(root).expect("a file system"),
            turn: tokio::sync::Mutex::default(),
            noted: Arc::default(),
        }
    }

    fn check_object(&self, bucket: &str, key: &str) -> S3Result<()> {
        match self.root.join(bucket).join(key).is_dir() {
            true => Err(s3_error!(NoSuchKey)),
            false => Ok(()),
        }
    }
}

/// The whole seconds of a time, which is what headers carry.
fn seconds(time: &Timestamp) -> f64 {
    let mut text = Vec::new();
    time.format(TimestampFormat::EpochSeconds, &mut text)
        .expect("a time");
    let text = String::from_utf8(text).expect("a number");
    text.parse::<f64>().expect("a number").floor()
}

fn matches(condition: &ETagCondition, tag: &ETag) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(other) => other.weak_cmp(tag),
    }
}

/// Notes what the server was told of an object, once the signature is verified, and lets it be
/// stored without: `s3s-fs` refuses storage classes.
macro_rules! note {
    ($self:ident, $name:literal, $request:ident) => {{
        let input = &mut $request.input;
        let class = input.storage_class.take();
        let encryption = input.server_side_encryption.take();
        let key = input.ssekms_key_id.take();
        $self.noted.lock().expect("no panic").push((
            $name,
            class.map(|class| class.as_str().to_owned()),
            encryption.map(|encryption| encryption.as_str().to_owned()),
            key,
        ));
    }};
}

macro_rules! hand_on {
    ($($name:ident($input:ident) -> $output:ident;)*) => {
        #[async_trait::async_trait]
        impl S3 for Files {
            $(
                async fn $name(
                    &self,
                    request: S3Request<$input>,
                ) -> S3Result<S3Response<$output>> {
                    self.files.$name(request).await
                }
            )*

            async fn put_object(
                &self,
                mut request: S3Request<PutObjectInput>,
            ) -> S3Result<S3Response<PutObjectOutput>> {
                note!(self, "put", request);
                if !self.root.join(&request.input.bucket).is_dir() {
                    return Err(s3_error!(NoSuchBucket));
                }
                let _turn = self.turn.lock().await;
                self.files.put_object(request).await
            }

            async fn create_multipart_upload(
                &self,
                mut request: S3Request<CreateMultipartUploadInput>,
            ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
                note!(self, "upload", request);
                self.files.create_multipart_upload(request).await
            }

            async fn copy_object(
                &self,
                mut request: S3Request<CopyObjectInput>,
            ) -> S3Result<S3Response<CopyObjectOutput>> {
                note!(self, "copy", request);
                self.files.copy_object(request).await
            }

            async fn head_object(
                &self,
                request: S3Request<HeadObjectInput>,
            ) -> S3Result<S3Response<HeadObjectOutput>> {
                self.check_object(&request.input.bucket, &request.input.key)?;
                self.files.head_object(request).await
            }

            async fn get_object(
                &self,
                mut request: S3Request<GetObjectInput>,
            ) -> S3Result<S3Response<GetObjectOutput>> {
                self.check_object(&request.input.bucket, &request.input.key)?;
                let file = self.root.join(&request.input.bucket).join(&request.input.key);
                if let Some(Range::Suffix { length }) = &mut request.input.range
                    && let Ok(metadata) = file.metadata()
                {
                    *length = metadata.len().min(*length);
                }
                let input = request.input.clone();
                let _turn = self.turn.lock().await;
                let answer = self.files.get_object(request).await?;
                let tag = answer.output.e_tag.clone().expect("a tag");
                let modified = seconds(answer.output.last_modified.as_ref().expect("a time"));
                let since = |time: &Option<Timestamp>| time.as_ref().map(seconds);
                let changed = match (&input.if_match, since(&input.if_unmodified_since)) {
                    (Some(condition), _) => !matches(condition, &tag),
                    (None, Some(time)) => modified > time,
                    _ => false,
                };
                if changed {
                    return Err(s3_error!(PreconditionFailed));
                }
                let same = match (&input.if_none_match, since(&input.if_modified_since)) {
                    (Some(condition), _) => matches(condition, &tag),
                    (None, Some(time)) => modified <= time,
                    _ => false,
                };
                if same {
                    return Err(s3_error!(NotModified));
                }
                Ok(answer)
            }
        }
    };
}

hand_on! {
    delete_object(DeleteObjectInput) -> DeleteObjectOutput;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput;
    head_bucket(HeadBucketInput) -> HeadBucketOutput;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output;
    upload_part(UploadPartInput) -> UploadPartOutput;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput;
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput;
}
