-- One row: the largest residual of any register of the last days, in kWh; it is zero.
select coalesce(max(abs(c.residual_kwh)), 0) as residual_kwh
from mart.conservation as c
where
    c.day >= cast(cast($__timeFrom() as timestamp) as date)
    and c.day <= cast(cast($__timeTo() as timestamp) as date) + 1;
