package compare

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// topFunctions is how many functions of a profile are shown.
const topFunctions = 10

// A Profile is where ours, alone, spends what a figure is about.
type Profile struct {
	Kind Kind
	// Figures are those that it is to explain.
	Figures []string
	// Samples is how many times a processor was looked at, where the kind is
	// ProcessorTime, in so many profiles that were taken.
	Samples, Taken int
	// Views are the functions that spend most themselves, and those of ours that do
	// together with what they call.
	Views []View
}

// A View is what a command prints of a profile.
type View struct{ Command, Text string }

// A Profiler profiles our contestant of a comparison.
type Profiler struct {
	// Take writes a profile of the benchmarks that the pattern selects to the file,
	// with the name of a [Kind]. It is not asked for contestants that have a
	// Profile of their own.
	Take func(pattern, file string) error
	// Own is a regular expression of the functions that are ours.
	Own string
	// Enough is how many samples of the processors are: profiles are taken until
	// there are so many, but at most Most.
	Enough, Most int
}

// Profile takes a profile, or several that are merged. Its files are put into dir.
func (p *Profiler) Profile(dir string, kind Kind, pattern string, ours *Contestant) (Profile, error) {
	take := ours.Profile
	if take == nil {
		take = func(file string) error { return p.Take(pattern, file) }
	}
	profile := Profile{Kind: kind}
	var files []string
	for profile.Taken < max(p.Most, 1) {
		turn := filepath.Join(dir, strconv.Itoa(profile.Taken))
		if err := os.Mkdir(turn, 0o700); err != nil {
			return profile, err
		}
		file := filepath.Join(turn, kind.File())
		if err := take(file); err != nil {
			return profile, fmt.Errorf("profiling: %w", err)
		}
		files = append(files, file)
		profile.Taken++
		if kind != ProcessorTime {
			break
		}
		samples, err := countSamples(files)
		if err != nil {
			return profile, err
		}
		if profile.Samples = samples; samples >= p.Enough {
			break
		}
	}
	for _, own := range []string{"", p.Own} {
		text, err := topOf(kind, own, files)
		if err != nil {
			return profile, err
		}
		profile.Views = append(profile.Views, View{viewCommand(kind, own), text})
	}
	return profile, nil
}

// view are the arguments with which pprof shows the functions that spend most
// themselves, or those that a regular expression matches and that do with what they
// call.
func view(kind Kind, own string) []string {
	args := []string{"-top", "-nodecount=" + strconv.Itoa(topFunctions), "-sample_index=" + kinds[kind].sampleIndex}
	if own != "" {
		args = append(args, "-cum", "-show="+own)
	}
	return args
}

// viewCommand is the command for a view, as a shell wants it.
func viewCommand(kind Kind, own string) string {
	words := []string{"go", "tool", "pprof"}
	for _, arg := range view(kind, own) {
		words = append(words, quoted(arg))
	}
	return strings.Join(append(words, kind.File()), " ")
}

// quoted is an argument as a shell wants it.
func quoted(arg string) string {
	if arg != "" && strings.Trim(arg, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./") == "" {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

// topOf has the go command print the head of a profile. Lines that name files are
// left out; of a part of the functions the table is all that is new.
func topOf(kind Kind, own string, files []string) (string, error) {
	text, err := pprofText(view(kind, own), files)
	if err != nil {
		return "", err
	}
	var kept []string
	table := false
	for line := range strings.Lines(text) {
		table = table || strings.HasPrefix(strings.TrimSpace(line), "flat ")
		name, _, _ := strings.Cut(line, ": ")
		if table || own == "" && name != "File" && name != "Build ID" && name != "Time" {
			kept = append(kept, strings.TrimRight(line, "\n"))
		}
	}
	return strings.Join(kept, "\n"), nil
}

var totalSamples = regexp.MustCompile(`of (\d+) total`)

// countSamples returns how often a processor was found at work.
func countSamples(files []string) (int, error) {
	text, err := pprofText([]string{"-top", "-nodecount=1", "-sample_index=samples"}, files)
	if err != nil {
		return 0, err
	}
	found := totalSamples.FindStringSubmatch(text)
	if found == nil {
		return 0, nil // of none it says nothing
	}
	return strconv.Atoi(found[1])
}

func pprofText(args, files []string) (string, error) {
	cmd := exec.Command("go", append(append([]string{"tool", "pprof"}, args...), files...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go tool pprof: %w\n%s", err, stderr.String())
	}
	return string(text), nil
}
