package field

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCheckerNamesFieldAndValue(t *testing.T) {
	cause := errors.New("no such host")
	c := Check("shop: Config")
	c.Duration("Timeout", -time.Second)
	c.Count("Max", -2)
	c.Share("Rate", 1.5)
	c.Share("Nothing", math.NaN())
	c.Finite("Speed", math.Inf(1))
	c.Finite("Weight", math.NaN())
	c.Finite("Debt", -1)
	c.That(false, "Probes", 1, "is less than SuccessThreshold, %d", 3)
	c.Err("Backend", cause)
	err := c.Result()
	require.EqualError(t, err, `shop: Config.Timeout: -1s is negative
shop: Config.Max: -2 is negative
shop: Config.Rate: 1.5 is not between 0 and 1
shop: Config.Nothing: NaN is not between 0 and 1
shop: Config.Speed: +Inf is not a finite number >= 0
shop: Config.Weight: NaN is not a finite number >= 0
shop: Config.Debt: -1 is not a finite number >= 0
shop: Config.Probes: 1 is less than SuccessThreshold, 3
shop: Config.Backend: no such host`)
	require.ErrorIs(t, err, cause)
}

func TestCheckerPassesWhatIsRight(t *testing.T) {
	c := Check("shop: Config")
	c.Duration("Timeout", 0)
	c.Count("Max", 0)
	c.Share("Rate", 0)
	c.Share("Rate", 1)
	c.Finite("Speed", 0)
	c.That(true, "Probes", 1, "never said")
	c.Err("Backend", nil)
	require.NoError(t, c.Result())
}
