package plaintext

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const sample = "id,name\n1,Zoë\n2,𝄞 日本\n"

func utf16Of(order binary.AppendByteOrder, text string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

func zipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func TestEveryFormOfATextIsTheSameText(t *testing.T) {
	for name, file := range map[string]string{
		"plain":                sample,
		"mark":                 "\ufeff" + sample,
		"little":               utf16Of(binary.LittleEndian, sample),
		"big":                  utf16Of(binary.BigEndian, sample),
		"gzip":                 zipped(t, sample),
		"gzip of a mark":       zipped(t, "\ufeff"+sample),
		"gzip of UTF-16":       zipped(t, utf16Of(binary.LittleEndian, sample)),
		"gzip in two members":  zipped(t, sample[:9]) + zipped(t, sample[9:]),
		"gzip, then no bytes":  zipped(t, sample) + zipped(t, ""),
		"gzip cut in a letter": zipped(t, sample[:13]) + zipped(t, sample[13:]),
	} {
		for how, read := range map[string]func(io.Reader) io.Reader{
			"": func(r io.Reader) io.Reader { return r }, " by bytes": iotest.OneByteReader, " by halves": iotest.HalfReader, " with EOF": iotest.DataErrReader,
		} {
			t.Run(name+how, func(t *testing.T) {
				got, err := io.ReadAll(NewReader(read(strings.NewReader(file))))
				require.NoError(t, err)
				require.Equal(t, sample, string(got))
				require.NoError(t, iotest.TestReader(NewReader(read(strings.NewReader(file))), []byte(sample)))
			})
		}
	}
}

func TestShortAndOddInput(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "x": "x", "\x1f": "\x1f", "\xef\xbb": "\xef\xbb", "\xff": "\xff", "\xef\xbb\xbf": "",
		"\xff\xfe": "", "\xff\xfea\x00": "a", "\xfe\xff\x00a": "a",
		"\xff\xfe\x00\xd8a\x00": "\ufffda", "\xff\xfe\x00\xdc": "\ufffd", "\xff\xfe\x00\xd8": "\ufffd",
		"\ufeff\ufeffx": "\ufeffx",
	} {
		got, err := io.ReadAll(NewReader(strings.NewReader(in)))
		require.NoError(t, err, "%q", in)
		require.Equal(t, want, string(got), "%q", in)
	}
}

func TestErrors(t *testing.T) {
	for in, want := range map[string]string{
		"\xff\xfea":                              "UTF-16: the text ends within a character",
		"\xff\xfe\x00\x00a\x00\x00\x00":          "the text is in UTF-32",
		"\x00\x00\xfe\xff\x00\x00\x00a":          "the text is in UTF-32",
		"\x1f\x8bx":                              "gzip",
		"\x1f\x8b":                               "EOF",
		zipped(t, sample)[:20]:                   "EOF",
		zipped(t, sample) + "more than a header": "gzip: invalid header",
		strings.TrimRight(zipped(t, sample), "\x00") + "\x01\x00\x00": "checksum",
	} {
		r := NewReader(strings.NewReader(in))
		_, err := io.ReadAll(r)
		require.ErrorContains(t, err, want, "%q", in)
		_, again := r.Read(make([]byte, 8))
		require.Error(t, again, "%q", in)
	}
	disk := errors.New("disk")
	_, err := io.ReadAll(NewReader(iotest.ErrReader(disk)))
	require.ErrorIs(t, err, disk)
	_, err = io.ReadAll(NewReader(io.MultiReader(strings.NewReader("\xff\xfea\x00"), iotest.ErrReader(disk))))
	require.ErrorIs(t, err, disk)
}

// Text that comes slowly is passed on before more of it comes.
func TestTextIsPassedOnAsItComes(t *testing.T) {
	in, out := io.Pipe()
	r := NewReader(in)
	go func() { _, _ = out.Write([]byte("\xff\xfea\x00b\x00c\x00")) }()
	buffer := make([]byte, 8)
	n, err := r.Read(buffer)
	require.NoError(t, err)
	require.Positive(t, n)
	require.True(t, strings.HasPrefix("abc", string(buffer[:n])))
	require.NoError(t, in.Close())
}

func FuzzNewReader(f *testing.F) {
	for _, s := range []string{sample, "\ufeff" + sample, utf16Of(binary.LittleEndian, sample), zipped(f, sample)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := io.ReadAll(io.LimitReader(NewReader(bytes.NewReader(in)), 1<<20))
		slow, again := io.ReadAll(io.LimitReader(NewReader(iotest.OneByteReader(bytes.NewReader(in))), 1<<20))
		require.Equal(t, err == nil, again == nil)
		require.Equal(t, got, slow)
		if utf16 := bytes.HasPrefix(in, []byte("\xff\xfe")) || bytes.HasPrefix(in, []byte("\xfe\xff")); utf16 {
			require.True(t, utf8.Valid(got))
		}
	})
}

// A source hands over a text in one piece, and then has nothing for now.
type source struct {
	text  string
	reads int
}

func (s *source) Read(p []byte) (int, error) {
	if s.reads++; s.reads > 1 {
		return 0, errors.New("it would wait")
	}
	return copy(p, s.text), nil
}

// Text that comes slowly is passed on as soon as it is there, but for a letter that may be half of one.
func TestSlowTextIsPassedOn(t *testing.T) {
	s := &source{text: "\xff\xfea\x00b\x00c\x00"}
	r := NewReader(s)
	p := make([]byte, 10)
	n, err := r.Read(p)
	require.NoError(t, err)
	require.Equal(t, "ab", string(p[:n]))
	require.Equal(t, 1, s.reads)
	n, err = r.Read(nil)
	require.NoError(t, err)
	require.Zero(t, n)
}

// Nothing is read at the end as well, where no room is given.
func TestReadOfNothingAtTheEnd(t *testing.T) {
	r := NewReader(strings.NewReader("\xff\xfea\x00"))
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "a", string(text))
	_, err = r.Read(nil)
	require.NoError(t, err)
	_, err = r.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}
