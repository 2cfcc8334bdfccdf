package observe

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/bug"
	"github.com/vitrine-tls/vitrine/record"
)

// This file opens the records of one long direction on several cores: those that need nothing of
// the record before, as all but the ones of RC4, and of CBC up to TLS 1.0, do. They are opened
// ahead of their turn, into memory of their own, and everything else remains as it is: whoever cuts
// off a record that is in a batch finds it open. A record that does not open is not in a batch, nor
// is one behind it.

const (
	// leastBatch is how many records a batch has at least, and how many must have opened since the
	// last one that did not: trying records in vain at most doubles the work.
	leastBatch = 8
	// leastBytes is how many bytes it has at least: for fewer, other cores are not worth waking.
	leastBytes = 32 << 10
	// maxCores is how many cores open a batch.
	maxCores = 8
)

// openNext opens a record that was just cut off, which the batch may have.
func (c *Connection) openNext(l *lane, r sealed) (iana.ContentType, []byte, error) {
	if b := &l.batch; b.next < len(b.records) {
		if x := &b.records[b.next]; x.at == l.place(l.start)-int64(record.HeaderLen+r.Length) {
			b.next++
			l.ahead++
			l.half.Seek(l.half.SeqNum() + 1)
			return x.t, x.plain, nil
		}
		l.dropBatch()
	}
	t, plain, err := l.half.Open(r.Header, c.spared(r.fragment))
	if l.opens++; err != nil {
		l.opens = 0
	}
	return t, plain, err
}

// openAhead opens the records of application_data that come next, if it is worthwhile.
func (c *Connection) openAhead(l *lane) {
	if l.batch.next < len(l.batch.records) || l.opens < leastBatch || c.cores < 2 || l.blind ||
		l.keys == nil || l.half.Chains() || c.log.On() || c.hasLaterKeys(l) {
		return
	}
	if l.straight() < leastBytes || !l.fillBatch() {
		return
	}
	records := l.batch.records
	cores := min(c.cores, maxCores, len(records)/(leastBatch/2))
	if !l.addTwins(cores) {
		return
	}
	share := (len(records) + cores - 1) / cores
	var others bug.Group
	for i, twin := range l.batch.twins[:cores] {
		from, to := min(i*share, len(records)), min((i+1)*share, len(records))
		seq := l.half.SeqNum() + uint64(from)
		if i == cores-1 {
			openAll(twin, seq, records[from:to])
			break
		}
		others.Go(func() { openAll(twin, seq, records[from:to]) })
	}
	others.Wait()
	for i := range records {
		if !records[i].opened {
			l.batch.records = records[:i]
			l.opens = 0
			break
		}
	}
}

// fillBatch copies the whole records that come next, and reports whether they are enough. If not,
// they are opened one by one before it is called again.
func (l *lane) fillBatch() bool {
	if l.batch.batchMemory == nil {
		l.batch.batchMemory = batches.Get().(*batchMemory)
	}
	records, used := l.batch.room[:0], 0
	l.batch.next = 0
	end := l.start + l.straight()
	for at := l.start; end-at >= record.HeaderLen && len(records) < cap(records); {
		h, ok := header(l.buf[at:])
		whole := at + record.HeaderLen + h.Length
		if !ok || h.Type != iana.RecordApplicationData || whole > end ||
			used+h.Length > batchSize {
			break
		}
		records = append(records, aheadRecord{Header: h, at: l.place(at),
			fragment: l.buf[at+record.HeaderLen : whole]})
		at, used = whole, used+h.Length
	}
	if len(records) < leastBatch || used < leastBytes {
		l.batch.records, l.opens = records[:0], leastBatch-len(records)
		return false
	}
	l.batch.records = records
	used = 0
	for i := range records {
		n := copy(l.batch.bytes[used:], records[i].fragment)
		records[i].fragment = l.batch.bytes[used : used+n : used+n]
		used += n
	}
	return true
}

// addTwins makes copies of half, each for one core, until the batch has n. It reports whether it
// can.
func (l *lane) addTwins(n int) bool {
	for len(l.batch.twins) < n {
		p, err := record.NewReader(l.keys.Suite.Cipher, l.keys.Suite.MAC, l.keys.Params(nil))
		if err != nil {
			l.dropBatch()
			return false
		}
		twin := l.half
		twin.Protect(p)
		l.batch.twins = append(l.batch.twins, &twin)
	}
	return true
}

// openAll opens consecutive records up to the first that does not open.
func openAll(h *record.Half, seq uint64, records []aheadRecord) {
	h.Seek(seq)
	for i := range records {
		x := &records[i]
		var err error
		if x.t, x.plain, err = h.Open(x.Header, x.fragment); err != nil {
			return
		}
		x.opened = true
	}
}
