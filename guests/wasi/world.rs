//! A command for WASI 0.2: does with the standard library what its first argument says.
//!
//!     world echo                  standard input to standard output
//!     world environment           arguments and variables
//!     world files DIRECTORY       writes, lists, renames and reads files
//!     world tcp ADDRESS           sends a line, prints what comes back
//!     world udp ADDRESS           sends a datagram, prints what comes back
//!     world resolve NAME          prints the addresses of a name
//!     world sleep MILLISECONDS    waits
//!     world listen                tries to listen

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, process, thread};

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let what = arguments.get(1).map(String::as_str).unwrap_or("");
    let argument = arguments.get(2).map(String::as_str).unwrap_or("");
    if let Err(error) = run(what, argument) {
        eprintln!("{what}: {:?}: {error}", error.kind());
        process::exit(1);
    }
}

fn run(what: &str, argument: &str) -> io::Result<()> {
    match what {
        "echo" => io::copy(&mut io::stdin(), &mut io::stdout()).map(|_| ()),
        "environment" => {
            println!("{:?} {:?}", env::args().collect::<Vec<_>>(), env::vars().collect::<Vec<_>>());
            Ok(())
        }
        "files" => files(argument),
        "tcp" => tcp(argument),
        "udp" => udp(argument),
        "resolve" => {
            for address in (argument, 80).to_socket_addrs()? {
                println!("{address}");
            }
            Ok(())
        }
        "sleep" => sleep(argument.parse().unwrap_or(0)),
        "listen" => TcpListener::bind("127.0.0.1:0").map(|_| ()),
        _ => Err(io::Error::from(io::ErrorKind::InvalidInput)),
    }
}

fn files(directory: &str) -> io::Result<()> {
    let at = |name: &str| format!("{directory}/{name}");
    fs::create_dir_all(at("a/b"))?;
    let mut file = fs::OpenOptions::new().create(true).append(true).open(at("a/b/log"))?;
    for round in 0..3 {
        writeln!(file, "line {round} é")?;
    }
    file.sync_all()?;
    fs::rename(at("a/b/log"), at("moved"))?;
    fs::hard_link(at("moved"), at("linked"))?;
    let mut names: Vec<String> = fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<_>>()?;
    names.sort();
    let metadata = fs::metadata(at("linked"))?;
    println!("{names:?} {} {}", metadata.len(), metadata.is_file());
    print!("{}", fs::read_to_string(at("linked"))?);
    fs::remove_dir_all(at("a"))?;
    println!("{:?}", fs::read(at("../out")).unwrap_err().kind());
    Ok(())
}

fn tcp(address: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"hello from the guest\n")?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    print!("{answer}");
    Ok(())
}

fn udp(address: &str) -> io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(address)?;
    socket.send(b"datagram")?;
    let mut buffer = [0; 100];
    let length = socket.recv(&mut buffer)?;
    println!("{}", String::from_utf8_lossy(&buffer[..length]));
    Ok(())
}

fn sleep(milliseconds: u64) -> io::Result<()> {
    let (start, now) = (Instant::now(), SystemTime::now());
    thread::sleep(Duration::from_millis(milliseconds));
    let (slept, later) = (start.elapsed().as_millis() as u64, now.elapsed().is_ok());
    println!("{} {later}", slept >= milliseconds);
    Ok(())
}
