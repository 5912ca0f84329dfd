"""What will arrive: counts by interval, forecasts with quantiles at a horizon, and how bursty arrivals are."""
