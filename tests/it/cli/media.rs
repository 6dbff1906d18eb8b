//! `mooring media`, and posts that show it.

use super::{books, good, run, run_with, with_a_connection};

/// A GIF of 5 by 4 pixels.
const GIF: &[u8] = b"GIF89a\x05\x00\x04\x00\x00\x00\x00;";

#[test]
fn a_file_is_added_and_a_post_shows_it() {
    let (fleet, conn) = with_a_connection();
    // The name says nothing; the content decides.
    std::fs::write(fleet.folder().join("picture.txt"), GIF).expect("a file");
    let add = [
        "media",
        "add",
        "--workspace",
        "Acme",
        "picture.txt",
        "--alt",
        "a dot",
    ];
    let id = good(&fleet, &add).trim().to_owned();
    assert!(id.starts_with("media_"), "{id}");
    let stored = std::fs::read_dir(fleet.folder().join("mooring-data/media")).expect("a folder");
    assert_eq!(stored.count(), 1, "one workspace has files");
    let post = |media: &str, more: &[&str]| {
        let mut args = vec![
            "post",
            "--workspace",
            "Acme",
            "--to",
            &conn,
            "--media",
            media,
        ];
        args.extend(more);
        args.extend(["--at", "2100-01-01T00:00:00Z"]);
        run(&fleet, &args)
    };
    let before = books(&fleet);
    post(&format!("{id},{id}"), &[]).refused(&["media: media_", "is named twice"]);
    post("media_01936c1aa0007000800000000000abcd", &[]).refused(&[
        "media: media_",
        "does not exist",
        "mooring media add",
    ]);
    post(&id, &["--format", "reel"]).refused(&["format: bluesky has no reel; it has feed"]);
    post(&id, &["--format", "poem"]).refused(&["--format", "choose feed, reel, story or short"]);
    post(&id, &["--title", "T"]).refused(&["title: there are no titles"]);
    assert_eq!(books(&fleet), before);
    let told = post(&id, &[]);
    assert!(told.success, "{}", told.err);
}

#[test]
fn what_cannot_be_added_is_one_line_and_stores_nothing() {
    let (fleet, _) = with_a_connection();
    std::fs::write(fleet.folder().join("page.png"), "<html>no picture</html>").expect("a file");
    std::fs::write(fleet.folder().join("small.gif"), GIF).expect("a file");
    let add = |source: &str| run(&fleet, &["media", "add", "--workspace", "Acme", source]);
    add("page.png").refused(&["file: the file is no JPEG, PNG, GIF, WebP, MP4 or MOV"]);
    add("missing.png").refused(&["file: cannot read missing.png"]);
    for private in [
        "http://127.0.0.1:9/a.png",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]:9/a.png",
        "http://localhost:9/a.png",
    ] {
        add(private).refused(&["url: ", "the address is private or loopback"]);
    }
    let small = [("MOORING_MEDIA__MAX_BYTES", "10")];
    let args = ["media", "add", "--workspace", "Acme", "small.gif"];
    run_with(&fleet, &small, &args).refused(&["file: the file is longer than 10 bytes"]);
    let below = fleet.folder().join("mooring-data/media");
    assert_eq!(std::fs::read_dir(below).expect("a folder").count(), 0);
}
