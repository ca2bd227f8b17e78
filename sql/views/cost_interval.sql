-- One row a site and quarter-hour: purchased energy in kWh, its tariff band and its cost in NTD, 5 % VAT included.
create or replace view mart.cost_interval as
select
    c.site,
    c.starts_at,
    c.band,
    cast(c.amount as double precision) / 1000000 as energy_kwh,
    cast(c.cost_e8 as double precision) / 100000000 as cost_ntd,
    c.tariff_id,
    c.revision,
    c.catalog_id as configuration_id
from fact.cost as c
where position('@' in c.site) = 0;
