-- One row: the largest residual of any register and day in the range, which is zero, and how many were added up.
select
    max(abs(c.residual_kwh)) as residual_kwh,
    count(*) as register_days
from mart.conservation as c
where
    c.site in (${site:sqlstring}) and in_local_days(c.day);
