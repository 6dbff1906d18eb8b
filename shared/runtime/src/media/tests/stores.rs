//! Storing, reading and deleting, in memory and in a folder.

use super::{
    files::{Film, film, png},
    *,
};
use crate::config::MediaConfig;

/// Bytes in pieces, as they come from a network.
fn pieces(file: &[u8], each: usize) -> ByteStream {
    let pieces: Vec<_> = file
        .chunks(each)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    futures::stream::iter(pieces).boxed()
}

fn on_disk(folder: &FilePath, max_bytes: u64) -> MediaStore {
    let config = MediaConfig {
        max_bytes,
        ..MediaConfig::default()
    };
    MediaStore::open(&config, Some(folder), LinkKeys::default()).unwrap()
}

/// Every file below a folder, by its path from there.
fn all_files(folder: &FilePath) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let path = path.strip_prefix(folder).unwrap();
                found.push(path.display().to_string());
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_file_is_stored_once_per_workspace_under_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let store = on_disk(&folder.path().join("deep/media"), 1 << 20);
    let (ours, theirs) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let file = png(4, 3);
    let first = store.put(ours, pieces(&file, 7)).await.unwrap();
    let again = store.put(ours, pieces(&file, 1_000)).await.unwrap();
    assert_eq!(first, again);
    assert_eq!((first.bytes, first.sha256.len()), (file.len() as u64, 64));
    assert_eq!(
        all_files(folder.path()),
        [format!("deep/media/{ours}/{}", first.sha256)]
    );
    assert!(!store.exists(theirs, &first.sha256).await.unwrap());
    store.put(theirs, pieces(&file, 7)).await.unwrap();
    store.delete(ours, &first.sha256).await.unwrap();
    store.delete(ours, &first.sha256).await.unwrap();
    assert!(!store.exists(ours, &first.sha256).await.unwrap());
    assert!(store.exists(theirs, &first.sha256).await.unwrap());
    store.probe().await.unwrap();
}

#[tokio::test]
async fn ranges_are_read_and_cut_at_the_end() {
    let store = MediaStore::in_memory(1 << 20);
    let file = png(4, 3);
    let stored = store.put(Uuid::nil(), pieces(&file, 7)).await.unwrap();
    let read = |range| store.read(Uuid::nil(), &stored.sha256, range);
    assert_eq!(read(0..4).await.unwrap()[..], file[..4]);
    assert_eq!(read(5..5).await.unwrap().len(), 0);
    assert_eq!(read(8..9_999).await.unwrap()[..], file[8..]);
    assert_eq!(
        store.size(Uuid::nil(), &stored.sha256).await.unwrap(),
        stored.bytes
    );
    let missing = store.read(Uuid::from_u128(9), &stored.sha256, 0..1).await;
    assert!(matches!(missing, Err(MediaError::Missing)));
}

#[tokio::test]
async fn a_digest_that_is_none_is_no_path() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "canary").unwrap();
    let inside = folder.path().join("media").join(Uuid::nil().to_string());
    std::fs::create_dir_all(&inside).unwrap();
    std::fs::write(inside.join("secret"), "canary").unwrap();
    let store = on_disk(&folder.path().join("media"), 1 << 20);
    for bad in [
        "../secret",
        "..",
        "",
        "secret",
        &"A".repeat(64),
        &"é".repeat(32),
    ] {
        let read = store.read(Uuid::nil(), bad, 0..6).await;
        assert!(matches!(read, Err(MediaError::Missing)), "{bad}");
    }
}

#[tokio::test]
async fn a_refused_file_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = on_disk(folder.path(), 10 * 1024 * 1024);
    let long = film(
        2,
        2,
        Film {
            pictures: 12 * 1024 * 1024,
            ..Film::default()
        },
    );
    let too_large = store
        .put(Uuid::nil(), pieces(&long, 1 << 16))
        .await
        .unwrap_err();
    assert!(
        too_large.to_string().contains("longer than 10485760 bytes"),
        "{too_large}"
    );
    // Long enough to lie in the store when it turns out to have no picture.
    let no_picture = film(
        0,
        0,
        Film {
            pictures: 9 * 1024 * 1024,
            ..Film::default()
        },
    );
    let refused = store
        .put(Uuid::nil(), pieces(&no_picture, 1 << 16))
        .await
        .unwrap_err();
    assert!(matches!(refused, MediaError::NotMedia(_)), "{refused:?}");
    let text = store
        .put(Uuid::nil(), pieces(&[b'x'; 100], 3))
        .await
        .unwrap_err();
    assert!(matches!(text, MediaError::NotMedia(NotMedia::UnknownType)));
    let broken = futures::stream::iter([
        Ok(Bytes::from(film(
            2,
            2,
            Film {
                pictures: 9 * 1024 * 1024,
                ..Film::default()
            },
        ))),
        Err(std::io::Error::other("the line is dead")),
    ]);
    let broken = store.put(Uuid::nil(), broken.boxed()).await.unwrap_err();
    assert!(matches!(broken, MediaError::Source(_)));
    assert_eq!(all_files(folder.path()), [""; 0]);
}

#[tokio::test]
async fn a_long_file_moves_to_its_place_when_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = on_disk(folder.path(), 1 << 30);
    let file = film(
        1080,
        1920,
        Film {
            pictures: 18 * 1024 * 1024,
            ..Film::default()
        },
    );
    let path = folder.path().join("film");
    std::fs::write(&path, &file).unwrap();
    let content = read_file(&path).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let stored = store.put(Uuid::nil(), content).await.unwrap();
    assert_eq!(
        all_files(folder.path()),
        [format!("{}/{}", Uuid::nil(), stored.sha256)]
    );
    let end = file.len() as u64;
    let tail = store
        .read(Uuid::nil(), &stored.sha256, end - 9..end)
        .await
        .unwrap();
    assert_eq!(tail[..], file[file.len() - 9..]);
}

#[tokio::test]
async fn without_a_place_every_use_names_the_setting() {
    let store = MediaStore::nowhere();
    let put = store.put(Uuid::nil(), pieces(&png(1, 1), 9)).await;
    let read = store.read(Uuid::nil(), &"a".repeat(64), 0..1).await;
    for error in [put.unwrap_err(), read.unwrap_err()] {
        assert!(matches!(error, MediaError::Nowhere));
        assert!(error.to_string().contains("set media.s3_bucket"), "{error}");
    }
    assert!(store.probe().await.is_err());
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_bucket_needs_a_program_that_speaks_s3() {
    let config = MediaConfig {
        s3_bucket: Some("b".to_owned()),
        ..MediaConfig::default()
    };
    let refused = MediaStore::open(&config, None, LinkKeys::default());
    assert!(matches!(refused, Err(MediaError::NoS3)));
}
