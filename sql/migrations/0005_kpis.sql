-- One row a role or number of a key figure of a site: the point that plays it, or what its file says; written anew when
-- the site's file has changed.
create table op.kpi (
    site varchar not null,
    kind varchar not null,
    asset varchar not null,
    system varchar not null,
    role varchar not null,
    point_id integer,
    number double precision
);

-- One row a point of a measure of a site, and what the point is compared by; written anew likewise.
create table op.measure (
    site varchar not null,
    measure varchar not null,
    from_day date not null,
    title_zh varchar not null,
    title_en varchar not null,
    role varchar not null,
    point_id integer not null
);
