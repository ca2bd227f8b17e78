-- The unit of the values that are scored: an amount is looked at as a rate.
select case when p.kind in ('gauge', 'power', 'state') then p.unit else p.unit || '/h' end as unit
from mart.point as p
where p.point in (${point:sqlstring});
