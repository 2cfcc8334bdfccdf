package capture

import (
	"bytes"
	"encoding/binary"
)

// This file knows the files of other programs, which are named and not read.

// What makes a capture that is read of another program's one. Wireshark comes with editcap, which
// writes no pcapng of formats that can have several link types unless it is told which one to take.
const (
	convert      = "editcap FILE new.pcapng (it comes with Wireshark)"
	convertEther = "editcap -T ether FILE new.pcapng (it comes with Wireshark; ether if the " +
		"capture is of Ethernet)"
)

// foreign are other files that captures come in, by what they have at an offset in bytes.
var foreign = []struct {
	at                 int
	has, name, command string
}{
	{0, "\x28\xB5\x2F\xFD", "compressed with zstd", "zstd -d FILE"},
	{0, "\xFD7zXZ\x00", "compressed with xz", "xz -d FILE"},
	{0, "BZh", "compressed with bzip2", "bzip2 -d FILE"},
	{0, "\x04\x22\x4D\x18", "compressed with lz4", "lz4 -d FILE"},
	{0, "PK\x03\x04", "a zip archive", "unzip FILE"},
	{0, "PK\x05\x06", "an empty zip archive", "look where the capture is"},
	{0, "7z\xBC\xAF\x27\x1C", "a 7z archive", "7z x FILE"},
	{0, "Rar!", "a rar archive", "unrar x FILE"},
	{257, "ustar", "a tar archive", "tar -xf FILE"},
	{0, "snoop\x00\x00\x00", "a capture of Solaris's snoop", convert},
	{0, "GMBU", "a capture of Microsoft's Network Monitor 2", convert},
	{0, "RTSS", "a capture of Microsoft's Network Monitor 1", convert},
	{0, "VL\x00\x00", "a capture of NetXRay", convert},
	{0, "XCP\x00", "a capture of NetXRay or Windows's Sniffer", convert},
	{0, "TRSNIFF data", "a capture of DOS's Sniffer", convert},
	{0, "\xAA\xAA\xAA\xAA", "a capture of InfoVista's 5View", convert},
	{0, "TR\x00\x64", "a trace of HP-UX's nettl", convert},
	{0, "ObserverPktBuff", "a capture of Observer", convert},
	{0, "+---------+----", "a text of Tektronix's K12", convertEther},
	{0, "\x01\x10\x4C\x00", "a capture of Novell's LANalyzer", convert},
	{0, "\x07\x10\x4C\x00", "a capture of Novell's LANalyzer", convert},
	{0, "iptrace 1.0", "a capture of AIX's iptrace", convert},
	{0, "iptrace 2.0", "a capture of AIX's iptrace", convert},
	{0, "\x05VNF", "a capture of Visual Networks", convert},
	{0, "btsnoop\x00", "a capture of Bluetooth", "none of its packets has TCP"},
	{0, "\x7Fver", "a capture of OmniPeek or EtherPeek", convert},
	{0, "<?xml", "XML, such as PDML", "export pcapng from the program that wrote it"},
	{0, "{", "JSON, such as tshark -T json or a HAR",
		"export pcapng from the program that wrote it"},
	{0, "[", "JSON, such as tshark -T json", "export pcapng from the program that wrote it"},
}

// foreignOf says what another program's file is by its beginning, and what makes a capture that is
// read of it; name is "" if it is none that is known.
func foreignOf(begin []byte) (name, command string) {
	for _, f := range foreign {
		if len(begin) > f.at && bytes.HasPrefix(begin[f.at:], []byte(f.has)) {
			return f.name, f.command
		}
	}
	if commView(begin) {
		return "a capture of CommView", convertEther
	}
	return "", ""
}

// commView reports whether a file begins as CommView's do, which have no magic number: with the
// length of the first packet, in NCF twice and with a zero behind it, and a date and time.
func commView(b []byte) bool {
	if len(b) < 13 {
		return false
	}
	at := 4 // in NCFX
	if bytes.Equal(b[:2], b[2:4]) && b[4] == 0 {
		at = 5
	} else if binary.LittleEndian.Uint32(b) > maxPacket {
		return false
	}
	year, month, day := binary.LittleEndian.Uint16(b[at:]), b[at+2], b[at+3]
	return year >= 2000 && year < 2100 && month >= 1 && month <= 12 && day >= 1 && day <= 31 &&
		b[at+4] < 24 && b[at+5] < 60 && b[at+6] <= 60
}
