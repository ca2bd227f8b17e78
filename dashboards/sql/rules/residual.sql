-- One row: the largest residual of any register of the last days, in kWh; it is zero.
select coalesce(max(abs(c.residual_kwh)), 0) as residual_kwh
from mart.conservation as c
where
    in_local_days(c.day);
